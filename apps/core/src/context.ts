import type { Names, Publisher, RedisClock } from '@hooligram/bus';
import type { Queues } from '@hooligram/bus/queues';
import type { Db } from '@hooligram/db';
import type { Log } from '@hooligram/service';
import type { Redis } from 'ioredis';
import type { CoreConfig } from './config.ts';
import type { Deadlines } from './intake/deadlines.ts';
import type { Limits } from './limits/index.ts';
import type { CoreMetrics } from './metrics.ts';
import type { Audits } from './retries/delivery-check-schedule.ts';
import type { JobMetrics } from './retries/metrics.ts';
import type { Confirmations } from './retries/redelivery-replies.ts';
import type { CredentialHash } from './verification/credential.ts';
import type { Numbers } from './verification/numbers.ts';
import type { VerificationProvider } from './verification/provider.ts';

/** What every handler may use. */
export type Context = {
  readonly config: CoreConfig;
  readonly log: Log;
  readonly metrics: CoreMetrics;
  readonly db: Db;
  readonly publisher: Publisher;
  readonly names: Names;
  readonly redis: Redis;
  readonly clock: RedisClock;
  readonly deadlines: Deadlines;
  readonly queues: Queues;
  /** The queues' own connection: fails where it cannot be asked at once. */
  readonly queueRedis: Redis;
  readonly jobMetrics: JobMetrics;
  readonly audits: Audits;
  readonly confirmations: Confirmations;
  readonly limits: Limits;
  readonly numbers: Numbers;
  readonly provider: VerificationProvider;
  readonly credentialHash: CredentialHash;
};

import type { Names, Outbox } from '@hooligram/bus';
import type { Db } from '@hooligram/db';
import type { Log } from '@hooligram/service';
import type { CoreConfig } from './config.ts';
import type { Limits } from './limits.ts';
import type { CoreMetrics } from './metrics.ts';
import type { CredentialHash } from './verification/credential.ts';
import type { VerificationProvider } from './verification/provider.ts';

/** What every handler may use. */
export type Context = {
  readonly config: CoreConfig;
  readonly log: Log;
  readonly metrics: CoreMetrics;
  readonly db: Db;
  readonly outbox: Outbox;
  readonly names: Names;
  readonly limits: Limits;
  readonly provider: VerificationProvider;
  readonly credentialHash: CredentialHash;
};

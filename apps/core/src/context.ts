import type { BusPublisher, Channels, DeadRequest, RedisClock } from '@hooligram/bus';
import type { Db } from '@hooligram/db';
import type { Log } from '@hooligram/service';
import type { CoreConfig } from './config.ts';
import type { Deadlines } from './intake/deadlines.ts';
import type { Limits } from './limits/index.ts';
import type { UserLimits } from './limits/user-limits.ts';
import type { CoreMetrics } from './metrics.ts';
import type { Replica } from './replica/replica.ts';
import type { RequestTraces } from './request-traces.ts';
import type { DeliveryChecks } from './retries/sharded-delivery-checks.ts';
import type { Credentials } from './verification/credential.ts';
import type { Numbers } from './verification/numbers.ts';
import type { VerificationProvider } from './verification/provider.ts';

/** What the handlers of requests may use. Jobs may use more: see `retries/job-context.ts`. */
export type Context = {
  readonly config: CoreConfig;
  readonly log: Log;
  readonly metrics: CoreMetrics;
  readonly db: Db;
  /** Undefined unless one is configured. */
  readonly replica: Replica | undefined;
  readonly publisher: BusPublisher;
  readonly names: Channels;
  /** How many gateways are subscribed to each of these channels of users. Rejects while Redis is away. */
  readonly countListeners: (channels: readonly string[]) => Promise<number[]>;
  /** Keeps a request that was given up for operators. Rejects while Redis is away. */
  readonly keepDeadRequest: (request: DeadRequest) => Promise<void>;
  /** By which the core goes: see `Stores`. */
  readonly clock: RedisClock;
  readonly deadlines: Pick<Deadlines, 'of' | 'ofBatch'>;
  readonly deliveryChecks: DeliveryChecks;
  /**
   * Adds a redelivery job for each of these users who has none.
   * @returns those for whom it could not, because Redis is away
   */
  readonly startRedeliveries: (userIds: readonly number[]) => Promise<readonly number[]>;
  readonly limits: Limits;
  /** What one user may store and reach; undefined without limits. */
  readonly userLimits: UserLimits | undefined;
  readonly numbers: Numbers;
  readonly provider: VerificationProvider;
  readonly credentials: Credentials;
  /** Undefined unless messages are traced. */
  readonly traces: RequestTraces | undefined;
};

import { type Db, openReplica } from '@hooligram/db';
import { startProbe } from '@hooligram/service';
import type { CoreService } from '../config.ts';
import type { CoreMetrics } from '../metrics.ts';
import { createReplicaMetrics } from './metrics.ts';
import { Replica } from './replica.ts';

/** Two batches of pages of replays at once and one behind gaps, the look at it, and a page of the sweep. */
const poolSize = 5;
/** A page waits so long for a connection to the replica at most, and so long for its answer. */
const deadlineMs = 1_000;

/** Follows the replica, if one is configured. It is no condition of readiness: the primary can do all that it does. */
export function startReplica(
  { config, lifecycle, log, metrics }: CoreService,
  db: Db,
  { statementSeconds }: CoreMetrics,
): Replica | undefined {
  const replicaMetrics = createReplicaMetrics(metrics);
  const { DATABASE_REPLICA_URL: url } = config;
  if (url === undefined) return undefined;
  const standby = openReplica({
    url,
    poolSize,
    deadlineMs,
    applicationName: 'hooligram-core-replica',
    onStatement: (name, ms) => statementSeconds(name).observe(ms / 1_000),
  });
  lifecycle.onClose('replica', () => standby.close());
  const replica = new Replica({ db, replica: standby, log, metrics: replicaMetrics });
  replicaMetrics.isUsed.read(() => (replica.isUsed ? 1 : 0));
  replicaMetrics.lagSeconds.read(() => replica.lagMs / 1_000);
  const probe = startProbe({
    async ask() {
      // It rejects while the primary is away, and nobody gets a page then.
      await replica.look();
      return true as const;
    },
  });
  lifecycle.onClose('replica probe', () => {
    probe.close();
    replica.close();
  });
  return replica;
}

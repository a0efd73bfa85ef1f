import { examineReplica, type ReplicaFacts } from '@hooligram/db';
import type { Place } from '../config.ts';
import { type Finding, fault, ok, unknown, warning } from './finding.ts';

/** As much as a busy primary writes in about a second. */
const bytesBehindMax = 64 * 1_024 * 1_024;
const name = 'postgres.replica';

/** Looks at the replica, if one is named, beside its primary. */
export async function examineStandby({ databaseUrl, replicaUrl }: Place): Promise<Finding[]> {
  if (!replicaUrl || !databaseUrl) return [];
  try {
    const facts = await examineReplica(databaseUrl, replicaUrl);
    return [facts ? findingOf(facts) : unknown(name, 'no core has been in the database yet')];
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    return [
      warning(
        name,
        `the replica, or its primary, does not answer: ${message || code} (DATABASE_REPLICA_URL)`,
        'start it, or set DATABASE_REPLICA_URL right; meanwhile the primary answers all pages',
      ),
    ];
  }
}

function findingOf({ fault: found, bytesBehind }: ReplicaFacts): Finding {
  if (found) {
    return fault(
      name,
      `the replica is never used: ${found} (DATABASE_REPLICA_URL)`,
      'let DATABASE_REPLICA_URL lead to a standby that streams from the Postgres of DATABASE_URL (pg_basebackup --write-recovery-conf)',
    );
  }
  if (bytesBehind === null) {
    return fault(
      name,
      'the replica is never used: the servers do not say how far their write-ahead logs are',
      'GRANT EXECUTE ON FUNCTION pg_current_wal_flush_lsn(), pg_last_wal_replay_lsn() TO the role, or unset DATABASE_REPLICA_URL',
    );
  }
  const text = `the replica is a standby of this database, and ${bytesBehind} bytes behind`;
  if (bytesBehind <= bytesBehindMax) return ok(name, text);
  return warning(
    name,
    text,
    'look at pg_stat_replication on the primary and at recovery_min_apply_delay on the replica; more than five seconds, and it is not used',
  );
}

import pg from 'pg';
import { runStatement } from '../statements/statement.ts';
import { type Db, getTypeParser } from './db.ts';
import type { History } from './epoch.ts';
import { applySettings, sessionSettings } from './session.ts';

/** A standby of the database, for what only reads, and what the primary can answer as well. */
export type ReplicaDb = Pick<Db, 'pool' | 'keepsStatements' | 'onStatement'> & { close(): Promise<void> };

type OpenReplicaOptions = {
  url: string;
  poolSize: number;
  /** Longest wait for a connection, and for an answer. */
  deadlineMs: number;
  applicationName: string;
  onStatement: Db['onStatement'];
};

/** Opens the pool. Connects only when the first statement comes. */
export function openReplica(options: OpenReplicaOptions): ReplicaDb {
  const { url, poolSize, deadlineMs, applicationName, onStatement } = options;
  const settings = sessionSettings({ statementTimeoutMs: deadlineMs });
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    application_name: applicationName,
    connectionTimeoutMillis: deadlineMs,
    query_timeout: deadlineMs,
    idleTimeoutMillis: 0,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser },
    // By a statement, which poolers let through.
    onConnect: (client: pg.ClientBase) => applySettings(client, settings),
  });
  // Who asks next notices.
  pool.on('error', () => {});
  return { pool, keepsStatements: true, onStatement, close: () => pool.end() };
}

/** What a server says of itself that should be a standby. */
export type ReplicaState = {
  readonly is_standby: boolean;
  /** Of the history that it has replayed; null if no core has been in it. */
  readonly epoch: number | null;
  readonly identity: string | null;
  /** How far it has replayed the write-ahead log of the primary, in bytes; null if it replays none. */
  readonly wal: number | null;
};

export const stateStatement = {
  name: 'replica_state',
  text: `
SELECT pg_is_in_recovery() AS is_standby, (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint AS wal,
  e.epoch, e.history AS identity
FROM (SELECT) AS one
LEFT JOIN database_epoch e ON e.name = 'database'`,
};

export async function readReplicaState(replica: ReplicaDb): Promise<ReplicaState> {
  const [row] = await runStatement<ReplicaState>(replica, stateStatement, []);
  return row as ReplicaState;
}

const positionStatement = { name: 'wal_position', text: 'SELECT wal_position() AS wal' };

/** @returns how far the write-ahead log of the primary is written, in bytes; null where a host forbids the question */
export async function readWalPosition(db: Db): Promise<number | null> {
  const [row] = await runStatement<{ wal: number | null }>(db, positionStatement, []);
  return row?.wal ?? null;
}

/** Why a server is no standby of the database with this history; undefined if it is one, however far behind. */
export function replicaFault(state: ReplicaState, history: History): string | undefined {
  if (!state.is_standby) return 'it is no standby: it was promoted, or never was one';
  if (state.epoch === history.epoch && state.identity === history.identity) return undefined;
  if (clusterOf(state.identity) !== clusterOf(history.identity))
    return 'it is a copy of another database cluster';
  return 'it has another history than the database: it was copied before a promotion or a restore, or has not replayed it';
}

/** The first part of what history_identity.sql makes. */
const clusterOf = (identity: string | null) => identity?.split('/')[0];

/** What a standby must be for its answer to count: in this history of the database, and replayed at least so far. */
export type Fit = History & { readonly wal: number };

/**
 * Whether the server that runs the statement is such a standby. The row of `database_epoch` is of the same snapshot as
 * all else that the statement reads; a copy of another cluster, or of a history that was lost, has another row. All
 * are parameters. Asked once a statement, whatever its rows.
 */
export const isFit = (epoch: string, identity: string, wal: string) =>
  `(SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= '0/0'::pg_lsn + ${wal}::bigint::numeric AND EXISTS (
    SELECT FROM database_epoch e
    WHERE e.name = 'database' AND e.epoch = ${epoch}::bigint AND e.history = ${identity}::text
  ))`;

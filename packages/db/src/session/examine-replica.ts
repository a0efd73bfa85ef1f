import { type ReplicaState, replicaFault, stateStatement } from './replica.ts';
import { withClient } from './with-connection.ts';

/** What an operator wants to know of a standby. */
export type ReplicaFacts = {
  /** Why its answers do not count, as `replicaFault` says it; undefined if they do. */
  readonly fault: string | undefined;
  /** What it has not replayed of what the primary had written when it was asked, before; null where one does not say. */
  readonly bytesBehind: number | null;
};

type PrimaryState = { readonly epoch: string; readonly identity: string | null; readonly wal: string | null };

const primaryStatement = `SELECT e.epoch, e.history AS identity, wal_position() AS wal
  FROM database_epoch e WHERE e.name = 'database'`;

/**
 * Examines a standby of a database. Changes nothing.
 *
 * @returns undefined if no core has been in the database yet: nothing says which history it has
 * @throws what one of them answered, or that it cannot be reached
 */
export async function examineReplica(url: string, replicaUrl: string): Promise<ReplicaFacts | undefined> {
  const config = { application_name: 'hooligram-examine', query_timeout: 10_000 };
  const { rows } = await withClient({ ...config, connectionString: url }, (client) =>
    client.query<PrimaryState>(primaryStatement),
  );
  const [primary] = rows;
  if (!primary?.identity) return undefined;
  const { epoch, identity, wal } = primary;
  const found = await withClient({ ...config, connectionString: replicaUrl }, (client) =>
    client.query<{ [K in keyof ReplicaState]: K extends 'is_standby' ? boolean : string | null }>(
      stateStatement.text,
    ),
  );
  const [replica] = found.rows;
  if (!replica) return undefined;
  const state = { ...replica, epoch: numberOf(replica.epoch), wal: numberOf(replica.wal) };
  const fault = replicaFault(state, { epoch: Number(epoch), identity, wal: numberOf(wal) });
  const isKnown = wal !== null && state.wal !== null;
  return { fault, bytesBehind: isKnown ? Math.max(0, Number(wal) - Number(state.wal)) : null };
}

const numberOf = (text: string | null) => (text === null ? null : Number(text));

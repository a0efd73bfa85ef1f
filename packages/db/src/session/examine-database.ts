import { randomInt } from 'node:crypto';
import type pg from 'pg';
import { inspectSession, type SessionKind } from './session.ts';
import { withClient } from './with-connection.ts';

/** What a core does with each table of its own. */
const rights = {
  user: ['SELECT', 'INSERT', 'UPDATE'],
  group: ['SELECT', 'INSERT', 'UPDATE'],
  group_member: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  message: ['SELECT', 'INSERT', 'DELETE'],
  request: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  verification_challenge: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  sweep: ['SELECT', 'INSERT', 'UPDATE'],
  upkeep: ['SELECT', 'UPDATE'],
  database_epoch: ['SELECT', 'INSERT', 'UPDATE'],
  function_set: ['SELECT'],
  _prisma_migrations: ['SELECT'],
} as const;

/** What an operator wants to know of a database; nothing of it is judged here. */
export type DatabaseFacts = {
  /** `18.1` */
  readonly version: string;
  readonly session: SessionKind;
  /** Of the session as Postgres or a pooler makes it, without what a core sets. */
  readonly settings: Readonly<Record<(typeof settingNames)[number], string>>;
  readonly role: string;
  /** Such as `UPDATE on message`. */
  readonly missingRights: readonly string[];
  /** Connections that are open, to all databases. */
  readonly connections: number;
  /** How far the clock of Postgres is ahead of this machine's, in milliseconds; half a round trip is uncertain. */
  readonly clockAheadMs: number;
  readonly roundTripMs: number;
  /** Why a transaction that writes could not, which was rolled back in any case; undefined if it could. */
  readonly writeFault: string | undefined;
};

const settingNames = [
  'fsync',
  'full_page_writes',
  'synchronous_commit',
  'max_connections',
  'server_encoding',
  'autovacuum',
  'default_transaction_isolation',
] as const;

/**
 * Looks at a database as a core would find it, and writes nothing that stays.
 *
 * @throws what the driver threw, if it cannot be reached
 */
export async function examineDatabase(url: string, statementTimeoutMs: number): Promise<DatabaseFacts> {
  const session = await inspectSession({ url, statementTimeoutMs });
  const config = { connectionString: url, application_name: 'hooligram-examine', query_timeout: 10_000 };
  return withClient(config, async (client) => {
    const { version, role, connections, settings } = await readServer(client);
    const clock = await readClock(client);
    const missingRights = await readMissingRights(client);
    const writeFault = await tryToWrite(client);
    return { version, session, settings, role, connections, missingRights, ...clock, writeFault };
  });
}

type Server = Pick<DatabaseFacts, 'version' | 'role' | 'connections' | 'settings'>;

async function readServer(client: pg.Client): Promise<Server> {
  const { rows } = await client.query<Server>(
    `SELECT current_setting('server_version') AS version, current_user::text AS role,
       (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
       (SELECT json_object_agg(name, current_setting(name)) FROM unnest($1::text[]) AS name) AS settings`,
    [[...settingNames]],
  );
  return rows[0] as Server;
}

async function readClock(client: pg.Client): Promise<Pick<DatabaseFacts, 'clockAheadMs' | 'roundTripMs'>> {
  const askedAt = Date.now();
  const { rows } = await client.query<{ now: string }>(
    'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now',
  );
  const answeredAt = Date.now();
  const clockAheadMs = Math.round(Number(rows[0]?.now) - (askedAt + answeredAt) / 2);
  return { clockAheadMs, roundTripMs: answeredAt - askedAt };
}

async function readMissingRights(client: pg.Client): Promise<string[]> {
  const wanted = Object.entries(rights).flatMap(([table, kinds]) => kinds.map((kind) => ({ table, kind })));
  const { rows } = await client.query<{ missing: string }>(
    `SELECT kind || ' on ' || name AS missing
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (name, kind, ord)
     WHERE to_regclass(quote_ident(name)) IS NOT NULL
       AND NOT has_table_privilege(to_regclass(quote_ident(name)), kind)
     UNION ALL
     SELECT 'USAGE on ' || sequencename FROM pg_sequences
     WHERE schemaname = current_schema()
       AND NOT has_sequence_privilege(quote_ident(schemaname) || '.' || quote_ident(sequencename), 'USAGE')`,
    [wanted.map(({ table }) => table), wanted.map(({ kind }) => kind)],
  );
  return rows.map(({ missing }) => missing);
}

/** A user whose sid no telephone has. */
async function tryToWrite(client: pg.Client): Promise<string | undefined> {
  try {
    await client.query('BEGIN');
    await client.query('INSERT INTO "user" (sid) VALUES ($1)', [`0.${randomInt(1e12)}`]);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.query('ROLLBACK').catch(() => {});
  }
}

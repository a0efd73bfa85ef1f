import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { checkDatabase } from './check-database.ts';
import { withClient } from './with-connection.ts';

/**
 * What stands between this process and Postgres.
 *
 * - `direct`: nothing, or nothing that differs from it.
 * - `session`: a pooler that gives each connection a session of its own.
 * - `transaction`: a pooler that gives each transaction any session: what is set in one is not there in the next.
 */
type Pooling = 'direct' | 'session' | 'transaction';

export type SessionKind = {
  readonly pooling: Pooling;
  /** Whether a prepared statement is found again by its name. PgBouncer does that from 1.21 on. */
  readonly keepsStatements: boolean;
  /** Why it cannot be used; one line. */
  readonly problem?: string;
};

const connectTimeoutMs = 5_000;
/** Sessions of a pooler are looked at so often before it is believed that it keeps them apart. */
const looks = 5;

export type Timeouts = {
  readonly statementTimeoutMs: number;
  /** Longest wait for a locked row; without it, the statement's timeout. */
  readonly lockTimeoutMs?: number | undefined;
};

/**
 * All settings of a session. The timeouts: no frozen client holds locks for long, and who finds a lock held can do
 * something else meanwhile. The planner:
 * our statements are bounded batches of look-ups by key, so the right plan is always nested loops over indexes,
 * made once. Left to choose, it takes a plan for the small table that it has just seen, and keeps it in the
 * prepared statement while the table grows. UTC: Prisma's adapter reads dates as if it were.
 * synchronous_commit: what we answer is on disk, whatever the role or the database has as its default;
 * requireDurableCommits() checks it.
 */
export function sessionSettings({
  statementTimeoutMs,
  lockTimeoutMs,
}: Timeouts): Readonly<Record<string, string>> {
  return {
    statement_timeout: String(statementTimeoutMs),
    ...(lockTimeoutMs === undefined ? {} : { lock_timeout: String(lockTimeoutMs) }),
    idle_in_transaction_session_timeout: String(statementTimeoutMs),
    synchronous_commit: 'on',
    timezone: 'UTC',
    plan_cache_mode: 'force_generic_plan',
    enable_seqscan: 'off',
    enable_hashjoin: 'off',
    enable_mergejoin: 'off',
    jit: 'off',
  };
}

/** Sets them in a session that is already open. */
export async function applySettings(
  client: Pick<pg.ClientBase, 'query'>,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  await client.query('SELECT set_config(name, value, false) FROM json_each_text($1) AS s(name, value)', [
    JSON.stringify(settings),
  ]);
}

/**
 * Finds out, with two connections of its own, what kind of session this url leads to, and whether it can be used.
 *
 * A pooler makes up the backend's process id that it names to its clients, so a pooled connection is known at once.
 * In transaction mode two connections find themselves in one session, or one finds itself in another than before.
 *
 * @throws what Postgres or the pooler answered; the way may be tried again
 */
export async function inspectSession({
  url,
  ...timeouts
}: Timeouts & { readonly url: string }): Promise<SessionKind> {
  const config: pg.ClientConfig = {
    connectionString: url,
    application_name: 'hooligram-session',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: connectTimeoutMs,
  };
  return withClient(config, async (one) => {
    if ((await backendOf(one)) === (one as unknown as { processID: number | null }).processID) {
      return checked(one, { pooling: 'direct', keepsStatements: true });
    }
    return withClient(config, async (two) => {
      if (!(await sharesSessions(one, two))) {
        return checked(one, { pooling: 'session', keepsStatements: true });
      }
      const keepsStatements = await keepsNames(one, two);
      const problem = await missingSettings(one, sessionSettings(timeouts));
      if (problem) return { pooling: 'transaction', keepsStatements, problem };
      return checked(one, { pooling: 'transaction', keepsStatements });
    });
  });
}

async function checked(client: pg.Client, session: SessionKind): Promise<SessionKind> {
  const answer = await checkDatabase(client);
  return answer === true ? session : { ...session, problem: answer };
}

async function backendOf(client: pg.Client): Promise<number> {
  return (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid as number;
}

async function sharesSessions(one: pg.Client, two: pg.Client): Promise<boolean> {
  const first = await backendOf(one);
  for (let look = 0; look < looks; look += 1) {
    if ((await backendOf(two)) === first || (await backendOf(one)) !== first) return true;
  }
  return false;
}

async function keepsNames(one: pg.Client, two: pg.Client): Promise<boolean> {
  const statement = { name: `hooligram_${randomUUID()}`, text: 'SELECT 1' };
  try {
    for (let look = 0; look < looks; look += 1)
      for (const client of [one, two]) await client.query(statement);
    return true;
  } catch (error) {
    // Each connection prepares it for itself, and then it is there already (42P05), or is gone (26000).
    if (['42P05', '26000'].includes(String((error as { code?: string }).code))) return false;
    throw error;
  }
}

/** @returns what has to be set for the role, since nothing can be set by the session */
async function missingSettings(
  client: pg.Client,
  wanted: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string; setting: string; role: string }>(
    `SELECT lower(name) AS name, setting, quote_ident(current_user) AS role
     FROM pg_settings WHERE lower(name) = ANY($1)`,
    [Object.keys(wanted)],
  );
  const missing = rows.filter(({ name, setting }) => !isAsWanted(name, setting, wanted[name] as string));
  if (missing.length === 0) return undefined;
  const commands = missing.map(({ name, role }) => `ALTER ROLE ${role} SET ${name} = '${wanted[name]}';`);
  return `the pooler is in transaction mode, where settings must belong to the role. Run, and have the pooler connect again: ${commands.join(' ')}`;
}

/** A timeout may also be shorter, but there must be one. */
function isAsWanted(name: string, setting: string, wanted: string): boolean {
  if (!name.endsWith('_timeout')) return setting === wanted;
  return Number(setting) > 0 && Number(setting) <= Number(wanted);
}

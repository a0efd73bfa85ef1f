import { randomUUID } from 'node:crypto';
import pg from 'pg';
// By path: testkit depends on this package, for its template database. As a dependency it would close a circle.
import { patienceMs, until } from '../../../tools/testkit/src/patience.ts';
import {
  emptyDatabase as emptyOfRun,
  freshDatabase as freshOfRun,
} from '../../../tools/testkit/src/stores.ts';
import { groupCreate } from '../src/groups/group-create.ts';
import { messagingSend, type StoreOutcome } from '../src/messages/messaging-send.ts';
import { migrate } from '../src/migrations/migrate.ts';
import { type Db, openDb } from '../src/session/db.ts';
import { readCredentials } from '../src/verification/authorization-sign-in.ts';

/** Another server than the run's own, to try these tests on another version of Postgres. */
const otherServer = process.env.HOOLIGRAM_TEST_POSTGRES;

/** A migrated database of its own. */
export async function freshDatabase(): Promise<string> {
  if (!otherServer) return freshOfRun();
  const url = await emptyDatabase();
  await migrate({ url });
  return url;
}

export async function emptyDatabase(): Promise<string> {
  if (!otherServer) return emptyOfRun();
  const url = new URL(otherServer);
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await inSession(url.href, (client) => client.query(`CREATE DATABASE ${name}`));
  url.pathname = `/${name}`;
  return url.href;
}

export async function inSession<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

/** The cores of a test, all on one database, and a session for holding locks. */
export type Cores = { url: string; one: Db; two: Db; session: pg.Client; close(): Promise<void> };

export async function openCores(): Promise<Cores> {
  const url = await freshDatabase();
  const one = openDb({ url, applicationName: 'one', statementTimeoutMs: patienceMs });
  const two = openDb({ url, applicationName: 'two', statementTimeoutMs: patienceMs });
  const session = new pg.Client({ connectionString: url });
  await session.connect();
  const close = async () => {
    await Promise.all([one.close(), two.close(), session.end()]);
  };
  return { url, one, two, session, close };
}

/** Until a statement of `applicationName` waits for a lock. */
export async function waitUntilBlocked({ session }: Cores, applicationName: string): Promise<void> {
  await until(`${applicationName} waits for a lock`, async () => {
    // Statistics are read once a transaction unless they are thrown away.
    await session.query('SELECT pg_stat_clear_snapshot()');
    const { rowCount } = await session.query(
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = $1 AND wait_event_type = 'Lock'`,
      [applicationName],
    );
    return rowCount === 1;
  });
}

/**
 * Does `first` in a transaction that stays open until `then`, begun meanwhile by core two, waits for its locks.
 * @returns what `then` came to
 */
export async function interleave<T>(
  cores: Cores,
  first: (session: pg.Client) => Promise<unknown>,
  then: (two: Db) => Promise<T>,
): Promise<T> {
  await cores.session.query('BEGIN');
  await first(cores.session);
  const outcome = then(cores.two);
  await Promise.race([waitUntilBlocked(cores, 'two'), outcome.then(failUnblocked)]);
  await cores.session.query('COMMIT');
  return outcome;
}

function failUnblocked(): never {
  throw new Error('the second core did not have to wait');
}

let users = 0;

export function newSid(): string {
  users += 1;
  return `1.555${String(users).padStart(5, '0')}`;
}

export type TestUser = { user_id: number; sid: string };

/** A group of new users; the first of them created it. */
export async function newGroup(
  db: Db,
  size: number,
): Promise<{ group_id: number; users: [TestUser, TestUser, ...TestUser[]] }> {
  const sids = Array.from({ length: size }, newSid);
  const created = await groupCreate(db, {
    request_id: randomUUID(),
    repeatable: false,
    user_id: 0,
    sid: sids[0] as string,
    group_name: 'group',
    member_sids: sids,
  });
  if (!created.ok) throw new Error(created.reason);
  // In one statement: a thousand of them wait for connections longer than they may on a busy machine.
  const members = (await readCredentials(db, sids)).map((user, at) => ({
    user_id: user?.user_id,
    sid: sids[at],
  }));
  return { group_id: created.group_id, users: members as [TestUser, TestUser, ...TestUser[]] };
}

export async function userOf(db: Db, sid: string): Promise<TestUser> {
  const [found] = await readCredentials(db, [sid]);
  if (!found) throw new Error(`no user has ${sid}`);
  return { user_id: found.user_id, sid };
}

export function aSend(sender: TestUser, group_id: number, content = 'hello') {
  return { sender_id: sender.user_id, request_id: randomUUID(), repeatable: true, group_id, content };
}

export async function storeOne(db: Db, send: ReturnType<typeof aSend>): Promise<StoreOutcome & { ok: true }> {
  const [outcome] = await messagingSend(db, [send]);
  if (!outcome?.ok) throw new Error(`not stored: ${outcome?.reason}`);
  return outcome;
}

/** Sends so many messages, "1", "2" and so on, together. @returns their ids */
export async function sendMany(on: Db, group_id: number, sender: TestUser, count: number): Promise<number[]> {
  const outcomes = await messagingSend(
    on,
    Array.from({ length: count }, (_, at) => aSend(sender, group_id, `${at + 1}`)),
  );
  return outcomes.map((outcome) => (outcome.ok ? outcome.message_id : 0));
}

/** Makes all messages up to a seq, and the state, older by a minute. */
export async function age(on: Db, group_id: number, { seq = 0, state = false }): Promise<void> {
  await on.pool.query(
    `UPDATE message SET date_created = date_created - INTERVAL '1 minute' WHERE group_id = $1 AND seq <= $2`,
    [group_id, seq],
  );
  if (!state) return;
  await on.pool.query(`UPDATE "group" SET date_changed = date_changed - INTERVAL '1 minute' WHERE id = $1`, [
    group_id,
  ]);
}

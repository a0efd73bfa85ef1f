import { afterEach, expect, test } from '@jest/globals';
import type pg from 'pg';
import { aSend, emptyDatabase, freshDatabase, inSession, newGroup, storeOne } from '../../test/test-db.ts';
import { cursorRaise } from '../cursors/cursor-raise.ts';
import { replayGroups } from '../groups/replay-groups.ts';
import { migrate } from '../migrations/migrate.ts';
import { isInfrastructureError } from '../statements/errors.ts';
import { setRetriedVersions } from '../sweep/set-retried-versions.ts';
import { createDatabaseCheck } from './check-database.ts';
import { type Db, openDb } from './db.ts';
import { beginEpoch } from './epoch.ts';

type Core = { db: Db; begun: number; changes: number[] };

const open: Core[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map(({ db }) => db.close()));
});

/** A core that watches the epoch, connected. */
async function core(url: string, connect: (db: Db) => Promise<unknown> = ping): Promise<Core> {
  const found: Core = {
    db: openDb({
      url,
      applicationName: 'epoch-test',
      onEpoch(epoch, hasBegun) {
        found.changes.push(epoch);
        if (hasBegun) found.begun += 1;
      },
    }),
    begun: 0,
    changes: [],
  };
  open.push(found);
  await connect(found.db);
  return found;
}

const ping = ({ pool }: Db) => pool.query('SELECT 1');

/** What a restore of the tables does: the same row again, in another transaction. */
async function putBack(url: string): Promise<void> {
  await inSession(url, (session) =>
    session.query(`
      CREATE TEMPORARY TABLE saved AS TABLE database_epoch;
      DELETE FROM database_epoch;
      INSERT INTO database_epoch TABLE saved`),
  );
}

async function nextIds(url: string): Promise<number[]> {
  return inSession(url, async (session) => {
    const { rows } = await session.query<{ id: string }>(
      `SELECT nextval(s.name::regclass) AS id
       FROM unnest(ARRAY['message_id_seq', 'group_id_seq', 'user_id_seq']) AS s (name)`,
    );
    return rows.map(({ id }) => Number(id));
  });
}

test('a database in which no core has been is in epoch 0, and gives ids from the beginning', async () => {
  const url = await freshDatabase();
  const { db, changes } = await core(url);
  await core(url);
  expect([db.epoch.current, changes]).toEqual([0, []]);
  expect(await nextIds(url)).toEqual([1, 1, 1]);
});

test('a row that a restore put back begins an epoch, in which every id is greater than all before', async () => {
  const url = await freshDatabase();
  await core(url);
  const before = await nextIds(url);
  await putBack(url);
  const { db, begun } = await core(url);
  expect([db.epoch.current > Date.now() - 60_000, begun]).toEqual([true, 1]);
  const after = await nextIds(url);
  for (const [index, id] of after.entries()) {
    expect(id).toBeGreaterThan(before[index] as number);
    expect(id).toBeLessThan(2 ** 52);
  }
});

test('a copy that is restored twice gives other ids the second time, though nothing in it can know', async () => {
  const url = await freshDatabase();
  await core(url);
  const restore = async () => {
    await inSession(url, (session) =>
      session.query(`
        UPDATE database_epoch SET epoch = 0, written_by = 0;
        SELECT setval('message_id_seq', 1), setval('group_id_seq', 1), setval('user_id_seq', 1)`),
    );
    await core(url);
    return nextIds(url);
  };
  const [first, second] = [await restore(), await restore()];
  for (const [index, id] of second.entries()) expect(id).toBeGreaterThan(first[index] as number);
});

test('of cores that notice at once, one begins the epoch, and all are in it', async () => {
  const url = await freshDatabase();
  await core(url);
  await putBack(url);
  const cores = await Promise.all(Array.from({ length: 6 }, () => core(url)));
  expect(cores.reduce((sum, { begun }) => sum + begun, 0)).toBe(1);
  expect(new Set(cores.map(({ db }) => db.epoch.current)).size).toBe(1);
});

test('a core that dies before the epoch is committed has only given ids away, and the next one begins it', async () => {
  const url = await freshDatabase();
  await core(url);
  await putBack(url);
  await inSession(url, async (session) => {
    await session.query('BEGIN');
    await session.query('SELECT * FROM enter_epoch(0, NULL, NULL, false)');
    await session.query('ROLLBACK');
  });
  const given = await nextIds(url);
  const { begun } = await core(url);
  expect(begun).toBe(1);
  for (const [index, id] of (await nextIds(url)).entries()) {
    expect(id).toBeGreaterThan(given[index] as number);
  }
});

test('a log that is shorter than others remember it begins an epoch', async () => {
  const url = await freshDatabase();
  const { db } = await core(url);
  const seen = db.epoch.seen;
  if (!seen?.wal) throw new Error('nothing seen');
  const late = await core(url, async (db) => {
    db.epoch.remember({ ...seen, wal: (seen.wal as number) + 1e9 });
    await ping(db);
  });
  expect(late.begun).toBe(1);
  // A core that remembers the longer log too sees that another one has noticed.
  const later = await core(url, async (db) => {
    db.epoch.remember({ ...seen, wal: (seen.wal as number) + 1e9 });
    await ping(db);
  });
  expect([later.begun, later.db.epoch.current]).toEqual([0, late.db.epoch.current]);
});

test('a database that is in an earlier epoch than others remember begins a later one', async () => {
  const url = await freshDatabase();
  const known = Date.now() + 3_600_000;
  const { db, begun } = await core(url, async (db) => {
    db.epoch.remember({ epoch: known, identity: 'another', wal: 1 });
    await ping(db);
  });
  expect([begun, db.epoch.current]).toEqual([1, known + 1]);
});

test('a new database, where others remember another one, begins an epoch', async () => {
  const { begun } = await core(await freshDatabase(), async (db) => {
    db.epoch.remember({ epoch: 0, identity: 'another', wal: 1 });
    await ping(db);
  });
  expect(begun).toBe(1);
});

test('when an operator says so, running cores are in the new epoch when they look', async () => {
  const url = await freshDatabase();
  const { db, begun, changes } = await core(url);
  const epoch = await beginEpoch(url);
  await db.epoch.check(db.pool);
  expect([db.epoch.current, changes, begun]).toEqual([epoch, [epoch], 0]);
});

test('what is under way on a connection from before fails as an outage, and is not answered from the past', async () => {
  const url = await freshDatabase();
  const { db } = await core(url);
  const failed = db.pool.query('SELECT pg_sleep(60)').then(
    () => 'answered',
    (error: unknown) => isInfrastructureError(error),
  );
  await beginEpoch(url);
  await db.epoch.check(db.pool);
  expect(await failed).toBe(true);
});

test('cursors and given up states of another epoch change nothing', async () => {
  const { db } = await core(await freshDatabase());
  const { group_id, users } = await newGroup(db, 2);
  const [{ user_id }] = users;
  await storeOne(db, aSend(users[0], group_id));
  const cursor = { user_id, group_id, delivered_seq: 1, delivered_version: 1 };
  const stored = async () => {
    const [[membership] = []] = await replayGroups(db, [{ user_id, group_ids: [group_id] }]);
    return [membership?.delivered_seq, membership?.delivered_version, membership?.retried_version];
  };
  await cursorRaise(db, [cursor], 7);
  await setRetriedVersions(db, user_id, [{ group_id, version: 1 }], 7);
  expect(await stored()).toEqual([0, 0, 0]);
  await cursorRaise(db, [cursor], 0);
  await setRetriedVersions(db, user_id, [{ group_id, version: 1 }], 0);
  expect(await stored()).toEqual([1, 1, 1]);
});

test('the epoch needs no more rights than to change the tables and to draw and set ids', async () => {
  const url = await freshDatabase();
  await inSession(url, async (session) => {
    const role = `ordinary_${new URL(url).pathname.slice(1)}`;
    await session.query(`
      CREATE ROLE ${role};
      GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO ${role};
      GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA public TO ${role}`);
    await session.query(`SET ROLE ${role}`);
    const { rows } = await session.query<{ history: string; wal: string; has_begun: boolean }>(
      'SELECT * FROM enter_epoch(0, NULL, NULL, true)',
    );
    expect(rows[0]?.history).toMatch(/^\d+\/[0-9A-F]{8}\/\d+\/\d+$/);
    expect([Number(rows[0]?.wal) > 0, rows[0]?.has_begun]).toEqual([true, true]);
    await dropRole(session, role);
  });
});

async function dropRole(session: pg.Client, role: string): Promise<void> {
  await session.query(`RESET ROLE; DROP OWNED BY ${role}; DROP ROLE ${role}`);
}

test('a database that lacks migrations is reported as that, and entered once it has them', async () => {
  const url = await emptyDatabase();
  const refusal = async () => {
    const { db } = await core(url, async () => {});
    return createDatabaseCheck(db)().then(
      () => 'entered',
      (error: Error) => `${isInfrastructureError(error)} ${error.message}`,
    );
  };
  expect(await refusal()).toBe('true the database has no migrations (run the migrate command)');
  await migrate({ url });
  await inSession(url, (session) =>
    session.query(`
      ALTER FUNCTION enter_epoch RENAME TO later;
      UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name LIKE '%initial'`),
  );
  expect(await refusal()).toMatch(
    /^true the database lacks migrations of this release: \d+_initial \(run the migrate command\)$/,
  );
  await inSession(url, (session) =>
    session.query(`
      ALTER FUNCTION later RENAME TO enter_epoch;
      UPDATE _prisma_migrations SET finished_at = now() WHERE finished_at IS NULL`),
  );
  expect(await refusal()).toBe('entered');
});

test('a server that dies while it is asked for its epoch, or checked, is an outage and ends no process', async () => {
  const url = await freshDatabase();
  const { db } = await core(url);
  const questions = {
    database_epoch: () => db.epoch.check(db.pool),
    _prisma_migrations: createDatabaseCheck(db),
  };
  for (const [table, ask] of Object.entries(questions)) {
    const failure = await inSession(url, async (session) => {
      await session.query(`BEGIN; LOCK TABLE ${table}`);
      const asked: Promise<unknown> = ask().catch((error: unknown) => error);
      let ended = 0;
      while (ended === 0) {
        const { rowCount } = await session.query(
          `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND relation = '${table}'::regclass`,
        );
        ended = rowCount ?? 0;
      }
      return asked;
    });
    expect([failure, isInfrastructureError(failure)]).toEqual([failure, true]);
    expect(await createDatabaseCheck(db)()).toBe(true);
  }
});

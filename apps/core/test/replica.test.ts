import { randomUUID } from 'node:crypto';
import {
  beginEpoch,
  type Db,
  examineReplica,
  groupCreate,
  messagingSend,
  openDb,
  openReplica,
  type ReplicaDb,
  replayPages,
  replicaPages,
  replicaSweep,
  sweepGroups,
} from '@hooligram/db';
import { createMetrics } from '@hooligram/service';
import {
  copyFiles,
  freshDatabase,
  metrics,
  type OwnPostgres,
  ownPostgres,
  patienceMs,
  restartPostgres,
  startCopy,
  uniqueSid,
} from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createReplicaMetrics } from '../src/replica/metrics.ts';
import { Replica } from '../src/replica/replica.ts';
import { contents, createGroup, nothing, sendMessage, startFixture, until } from './fixture.ts';

let primary: OwnPostgres;
let standby: OwnPostgres;
/** The way to the standby, wherever it is started again. */
let link: FaultyTcpProxy;
let db: Db;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  primary = await ownPostgres();
  await primary.stop();
  const copy = await copyFiles(primary);
  primary = await restartPostgres(primary);
  standby = await startCopy(copy, { standbyOf: primary });
  link = await FaultyTcpProxy.start(standby.url);
  db = await connected(primary.url);
});
afterEach(async () => {
  link.release();
  // A test that failed may have left it paused.
  await standby.query('SELECT pg_wal_replay_resume() WHERE pg_is_in_recovery()').catch(() => {});
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const fixture = startFixture({
  gateways: 1,
  get databaseUrl() {
    return primary.url;
  },
  get coreEnv() {
    return { DATABASE_REPLICA_URL: link.urlOf(standby.url), SWEEP_EVERY_MS: '500' };
  },
});

afterAll(async () => {
  await db?.close();
  await link?.stop();
  await Promise.all([primary, standby].map((one) => one?.crash().catch(() => {})));
});

/** The database, as a core has it. */
async function connected(url: string): Promise<Db> {
  const opened = openDb({ url, applicationName: 'replica-test', onEpoch() {} });
  await opened.pool.query('SELECT 1');
  return opened;
}

/** The replica as a core follows it, by a clock that the test moves, and what it said in the log and counted. */
function follow({ of = db, deadlineMs = patienceMs } = {}) {
  const url = link.urlOf(standby.url);
  const replica: ReplicaDb = openReplica({
    url,
    poolSize: 2,
    deadlineMs,
    applicationName: 'replica-test',
    onStatement() {},
  });
  open.push(replica);
  const lines: string[] = [];
  const say = (fields: object, text?: string) => {
    const { see: _, ...told } = fields as { see?: string };
    lines.push([text?.replace(/:.*/, ''), ...Object.values(told)].join(': '));
  };
  const clock = { now: 0 };
  const { pages, sweepPages } = createReplicaMetrics(createMetrics({ role: 'test' }));
  const followed = new Replica({
    db: of,
    replica,
    log: { info: say, warn: say } as never,
    metrics: { pages, sweepPages },
    now: () => clock.now,
  });
  const outcomesOf = async (counter: typeof pages) =>
    Object.fromEntries(
      (await counter.get()).values.flatMap(({ labels, value }) =>
        value > 0 ? [[labels.outcome, value]] : [],
      ),
    );
  const counted = () => outcomesOf(pages);
  const swept = () => outcomesOf(sweepPages);
  return { followed, replica, clock, lines, counted, swept };
}

async function newGroup(): Promise<number> {
  const [sid, other] = [uniqueSid(), uniqueSid()];
  const created = await groupCreate(db, {
    request_id: randomUUID(),
    repeatable: false,
    user_id: 0,
    sid,
    group_name: 'a group',
    member_sids: [sid, other],
  });
  if (!created.ok) throw new Error(created.reason);
  return created.group_id;
}

async function send(group_id: number, ...said: readonly string[]): Promise<void> {
  const { rows } = await db.pool.query('SELECT min(user_id) AS id FROM group_member WHERE group_id = $1', [
    group_id,
  ]);
  const sends = said.map((content) => ({
    sender_id: rows[0].id,
    request_id: randomUUID(),
    repeatable: true,
    group_id,
    content,
  }));
  for (const outcome of await messagingSend(db, sends)) if (!outcome.ok) throw new Error(outcome.reason);
}

/** A new group of two messages, which the replica has. */
async function knownGroup(): Promise<number> {
  const group = await newGroup();
  await send(group, 'one', 'two');
  await untilReplayed();
  return group;
}

/** Everybody in the group has acknowledged all of it. */
async function acknowledge(group_id: number): Promise<void> {
  await primary.query(
    `UPDATE group_member m SET delivered_seq = g.last_seq, delivered_version = g.version
    FROM "group" g WHERE g.id = m.group_id AND g.id = $1`,
    [group_id],
  );
}

async function untilReplayed(): Promise<void> {
  const [has] = await primary.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn() AS lsn');
  const sql = 'SELECT FROM pg_last_wal_replay_lsn() AS replayed WHERE replayed >= $1::pg_lsn';
  await until('the standby has it', async () => (await standby.query(sql, [has?.lsn])).length > 0);
}

/** Nothing more is replayed until `resume`. */
async function pause(): Promise<void> {
  await standby.query('SELECT pg_wal_replay_pause()');
  const sql = `SELECT FROM pg_get_wal_replay_pause_state() AS state WHERE state = 'paused'`;
  await until('replay is paused', async () => (await standby.query(sql)).length > 0);
}

async function resume(): Promise<void> {
  await standby.query('SELECT pg_wal_replay_resume()');
  await untilReplayed();
}

type Follower = ReturnType<typeof follow>;

/** Until the replica has all that the primary had at this moment of the test's clock. */
/** @param lookMs how much later each look is, by its own clock: one that was given up is left alone for a while */
async function untilUsed({ followed, clock }: Follower, lookMs = 0): Promise<void> {
  await until('the replica is used', async () => {
    clock.now += lookMs;
    await followed.look();
    return followed.isUsed && followed.lagMs === 0;
  });
}

/** @returns the contents of a page after the beginning of each group */
async function pagesOf({ followed }: Follower, ...groups: readonly number[]) {
  const questions = groups.map((group_id) => ({ group_id, after_seq: 0 }));
  const pages = await followed.pages(db, questions, 100);
  expect(pages).toEqual(await replayPages(db, questions, 100));
  return pages.map((page) => page?.messages.map(({ content }) => content));
}

/** @returns which of the groups after the one before `first` a page of the sweep names */
async function sweepFrom({ followed }: Follower, first: number, deadlineMs = 5_000): Promise<number[]> {
  const { overdue } = await followed.sweep({ after_group_id: first - 1, limit: 1_000, deadlineMs });
  return overdue.map(({ group_id }) => group_id);
}

test('a user who comes back is sent by the replica what they missed', async () => {
  const core = fixture.system.core(0);
  const counted = async (name: string, labels = {}) =>
    (await metrics(core.adminUrl)).value(`hooligram_core_replica_${name}`, labels);
  await until('the core uses it', async () => (await counted('used')) === 1);
  const [ada, bob] = [await fixture.enter(0), await fixture.enter(0)];
  bob.client.terminate();
  await bob.client.closed;
  const group = await createGroup(ada, [bob.sid]);
  for (const content of ['one', 'two', 'three']) await sendMessage(ada, group, content);
  await untilReplayed();
  // On a busy machine the replica may miss its deadline, and the primary answers.
  await until('the replica has answered', async () => {
    const back = await fixture.returning(bob.sid, 0, nothing);
    await until('all is there', () => contents(back, group).length === 3);
    expect(contents(back, group)).toEqual(['one', 'two', 'three']);
    return (await counted('pages_total', { outcome: 'replica' })) > 0;
  });
});

test('the sweep of a core has the replica look for overdue members', async () => {
  const labels = { outcome: 'replica' };
  await until('the replica has read a page of the sweep', async () => {
    const page = await metrics(fixture.system.core(0).adminUrl);
    return page.value('hooligram_core_replica_sweep_pages_total', labels) > 0;
  });
});

test('a replica that is as far as the groups reads their pages', async () => {
  const follower = follow();
  const groups = [await knownGroup(), await knownGroup()];
  await untilUsed(follower);
  expect(await pagesOf(follower, groups[0] as number, 2 ** 53, groups[1] as number)).toEqual([
    ['one', 'two'],
    undefined,
    ['one', 'two'],
  ]);
  expect(await follower.counted()).toEqual({ replica: 3 });
  expect(follower.lines).toEqual(['the replica is used']);
  expect(await examineReplica(primary.url, standby.url)).toMatchObject({ fault: undefined });
});

test('a page of the sweep names the groups that the replica finds, and says how far the primary has them', async () => {
  const follower = follow();
  const [owed, done, late] = [await knownGroup(), await knownGroup(), await knownGroup()];
  await acknowledge(done);
  await untilReplayed();
  await untilUsed(follower);
  await pause();
  await send(owed, 'three');
  await acknowledge(late);
  const question = { after_group_id: owed - 1, limit: 3, deadlineMs: 3_600_000 };
  const { overdue, ...range } = await follower.followed.sweep(question);
  expect(range).toEqual({ groups: 3, through_group_id: late });
  const young = { version: 1, due_seq: 0, due_version: 0 };
  // The last one has acknowledged since then.
  expect(overdue.sort((a, b) => a.group_id - b.group_id)).toEqual([
    { ...young, group_id: owed, last_seq: 3 },
    { ...young, group_id: late, last_seq: 2 },
  ]);
  await resume();
  const known = await sweepGroups(db, question);
  expect(await follower.followed.sweep(question)).toEqual(known);
  expect(known.overdue.map(({ group_id }) => group_id)).toEqual([owed]);
  const end = { ...question, after_group_id: late };
  expect(await follower.followed.sweep(end)).toEqual({ overdue: [], groups: 0, through_group_id: late });
  expect(await follower.swept()).toEqual({ replica: 3 });
});

describe('the primary answers for a replica', () => {
  test('that is paused, each group that went on meanwhile; after five seconds all of them', async () => {
    const follower = follow();
    const { followed, clock, lines } = follower;
    const [quiet, busy, changed] = [await knownGroup(), await knownGroup(), await knownGroup()];
    await untilUsed(follower);
    await pause();
    await send(busy, 'three');
    await primary.query('UPDATE "group" SET version = version + 1 WHERE id = $1', [changed]);
    const fresh = await newGroup();
    expect(await pagesOf(follower, quiet, busy, changed, fresh)).toEqual([
      ['one', 'two'],
      ['one', 'two', 'three'],
      ['one', 'two'],
      [],
    ]);
    expect(await follower.counted()).toEqual({ replica: 1, behind: 3 });
    clock.now += 5_000;
    await followed.look();
    expect([followed.isUsed, followed.lagMs]).toEqual([true, 5_000]);
    clock.now += 1;
    await followed.look();
    expect(followed.isUsed).toBe(false);
    expect(await pagesOf(follower, quiet)).toEqual([['one', 'two']]);
    expect(await follower.counted()).toEqual({ replica: 1, behind: 3, unused: 1 });

    await resume();
    await followed.look();
    expect(followed.isUsed).toBe(false);
    clock.now += 1_000;
    await untilUsed(follower);
    expect(lines).toEqual([
      'the replica is used',
      'the replica is not used: it is 5 s behind',
      'the replica is used',
    ]);
    expect(await pagesOf(follower, busy)).toEqual([['one', 'two', 'three']]);
    expect(await follower.counted()).toEqual({ replica: 2, behind: 3, unused: 1 });
  });

  test('the sweep, when the replica is further behind than what is due; until then it leaves out only what is younger', async () => {
    const follower = follow();
    const { followed, clock } = follower;
    const group = await knownGroup();
    await acknowledge(group);
    await untilReplayed();
    await untilUsed(follower);
    expect(await sweepFrom(follower, group)).toEqual([]);
    await pause();
    await send(group, 'three');
    clock.now += 2_000;
    expect(await sweepFrom(follower, group, 2_000)).toEqual([]);
    expect(await follower.swept()).toEqual({ replica: 2 });
    clock.now += 1;
    expect(await sweepFrom(follower, group, 2_000)).toEqual([group]);
    expect(await follower.swept()).toEqual({ replica: 2, behind: 1 });
    // It still answers for groups in which nothing happened.
    expect(followed.isUsed).toBe(true);
    clock.now += 5_000;
    await followed.look();
    expect(await sweepFrom(follower, group)).toEqual([group]);
    expect(await follower.swept()).toEqual({ replica: 2, behind: 1, unused: 1 });
    await resume();
    clock.now += 1_000;
    await untilUsed(follower);
    expect(await sweepFrom(follower, group)).toEqual([group]);
    expect(await follower.swept()).toEqual({ replica: 3, behind: 1, unused: 1 });
  });

  test('that replays an hour late', async () => {
    const follower = follow();
    const group = await knownGroup();
    await untilUsed(follower);
    const delay = async (value: string) => {
      await standby.query(`ALTER SYSTEM SET recovery_min_apply_delay = '${value}'`);
      await standby.query('SELECT pg_reload_conf()');
      const sql = `SELECT FROM pg_settings WHERE name = 'recovery_min_apply_delay' AND setting::int > 0`;
      await until('it is set', async () => (await standby.query(sql)).length === (value === '0' ? 0 : 1));
    };
    await delay('1h');
    try {
      const sql = `SELECT FROM pg_stat_activity WHERE backend_type = 'startup' AND wait_event = 'RecoveryApplyDelay'`;
      await until('it waits before it replays a commit', async () => {
        await newGroup();
        return (await standby.query(sql)).length > 0;
      });
      await send(group, 'three');
      expect(await pagesOf(follower, group)).toEqual([['one', 'two', 'three']]);
      expect(await follower.counted()).toEqual({ behind: 1 });
    } finally {
      await delay('0');
    }
    await untilReplayed();
    await pagesOf(follower, group);
    expect(await follower.counted()).toEqual({ replica: 1, behind: 1 });
  });

  test('that does not answer, after a deadline and once; then it is left alone for a second, and used again', async () => {
    const follower = follow({ deadlineMs: 500 });
    const { followed, lines } = follower;
    const group = await knownGroup();
    await untilUsed(follower, 1_000);
    lines.length = 0;
    link.hold('replica_pages');
    expect(await pagesOf(follower, group)).toEqual([['one', 'two']]);
    expect(link.isHolding()).toBe(true);
    expect(await pagesOf(follower, group, group)).toEqual([
      ['one', 'two'],
      ['one', 'two'],
    ]);
    expect(await follower.counted()).toEqual({ failed: 1, unused: 2 });
    await followed.look();
    expect(followed.isUsed).toBe(false);
    expect(lines).toEqual([expect.stringMatching(/^the replica is not used: .*timeout/)]);

    link.release();
    await untilUsed(follower, 1_000);
    expect(lines.slice(1)).toEqual(['the replica is used']);
  });

  test('the sweep that has no answer in time, and those of the next half minute; replays still go to the replica', async () => {
    const follower = follow({ deadlineMs: 500 });
    const { followed, clock, lines } = follower;
    const group = await knownGroup();
    await untilUsed(follower, 1_000);
    lines.length = 0;
    link.hold('replica_sweep');
    expect(await sweepFrom(follower, group)).toEqual([group]);
    expect(link.isHolding()).toBe(true);
    clock.now += 5_000;
    expect(await sweepFrom(follower, group)).toEqual([group]);
    expect(await follower.swept()).toEqual({ failed: 1, unused: 1 });
    expect([followed.isUsed, lines]).toEqual([
      true,
      [expect.stringMatching(/^the replica did not answer the sweep: ./)],
    ]);

    link.release();
    await until('the replica reads it again', async () => {
      clock.now += 30_000;
      await followed.look();
      expect(await sweepFrom(follower, group)).toEqual([group]);
      return (await follower.swept()).replica === 1;
    });
  });

  test('that is stopped, and it is used again when it is back', async () => {
    const follower = follow();
    const { followed, clock, lines } = follower;
    const group = await knownGroup();
    await untilUsed(follower);
    await standby.stop();
    expect(await sweepFrom(follower, group)).toEqual([group]);
    expect(await follower.swept()).toEqual({ failed: 1 });
    expect(await pagesOf(follower, group)).toEqual([['one', 'two']]);
    for (let looks = 0; looks < 3; looks += 1) await followed.look();
    expect(await pagesOf(follower, group)).toEqual([['one', 'two']]);
    expect(await follower.counted()).toEqual({ failed: 1, unused: 1 });
    standby = await restartPostgres(standby);
    link.open(standby.url);
    await untilReplayed();
    clock.now += 1_000;
    await untilUsed(follower);
    expect(await pagesOf(follower, group)).toEqual([['one', 'two']]);
    expect(await follower.counted()).toEqual({ replica: 1, failed: 1, unused: 1 });
    expect(lines).toEqual([
      'the replica is used',
      expect.stringMatching(/^the replica did not answer the sweep: ./),
      expect.stringMatching(/^the replica is not used: ./),
      'the replica is used',
    ]);
    clock.now += 30_000;
    await untilUsed(follower);
    expect(await sweepFrom(follower, group)).toEqual([group]);
    expect(await follower.swept()).toEqual({ failed: 1, replica: 1 });
  });

  test('of another cluster, whose groups of the same ids are not shown to anybody', async () => {
    const databaseUrl = await freshDatabase();
    const other = await connected(databaseUrl);
    open.push(other);
    const follower = follow({ of: other });
    const group = await knownGroup();
    await follower.followed.look();
    const fault = 'it is a copy of another database cluster';
    expect(follower.lines).toEqual([`the replica is not used: ${fault}`]);
    expect(await examineReplica(databaseUrl, standby.url)).toMatchObject({ fault });
    expect(await follower.followed.pages(other, [{ group_id: group, after_seq: 0 }], 100)).toEqual([null]);
    // Nor if somebody should ask it all the same.
    const { seen } = other.epoch;
    if (!seen) throw new Error('nothing seen');
    const question = [{ group_id: group, after_seq: 0 }];
    expect(await replicaPages(follower.replica, { ...seen, wal: 0 }, question)).toEqual([null]);
    // Not a page without groups, which would be the end of the walk.
    const next = { after_group_id: group - 1, limit: 10 };
    expect(await replicaSweep(follower.replica, { ...seen, wal: 0 }, next)).toBeNull();
    expect(await sweepFrom(follower, group)).toEqual([]);
    expect(await follower.swept()).toEqual({ unused: 1 });
  });

  test('that has not replayed that the database came back older', async () => {
    const follower = follow();
    const { followed, clock, lines } = follower;
    const group = await knownGroup();
    await untilUsed(follower);
    await pause();
    await beginEpoch(primary.url);
    await db.epoch.check(db.pool);
    expect(await pagesOf(follower, group)).toEqual([['one', 'two']]);
    expect(await sweepFrom(follower, group)).toEqual([group]);
    await followed.look();
    expect([await follower.counted(), await follower.swept()]).toEqual([{ unused: 1 }, { unused: 1 }]);
    await resume();
    clock.now += 1_000;
    await untilUsed(follower);
    expect(await pagesOf(follower, group)).toEqual([['one', 'two']]);
    expect(await follower.counted()).toEqual({ replica: 1, unused: 1 });
    expect(lines).toEqual([
      'the replica is used',
      expect.stringMatching(/^the replica is not used: it has another history than the database/),
      'the replica is used',
    ]);
  });

  test('that was promoted', async () => {
    const follower = follow();
    const group = await knownGroup();
    await untilUsed(follower);
    await standby.query('SELECT pg_promote()');
    expect(await pagesOf(follower, group)).toEqual([['one', 'two']]);
    expect(await sweepFrom(follower, group)).toEqual([group]);
    expect([await follower.counted(), await follower.swept()]).toEqual([{ behind: 1 }, { behind: 1 }]);
    await follower.followed.look();
    expect(follower.lines.at(-1)).toMatch(/^the replica is not used: it is no standby/);
  });
});

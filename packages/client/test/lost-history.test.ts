import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  backUp,
  connect,
  copyFiles,
  metrics,
  type OwnPostgres,
  ownPostgres,
  restartPostgres,
  startCopy,
} from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { contents, createFixture, heard, introduce, type Member, next, until } from './fixture.ts';

const operator = fileURLToPath(new URL('../../../apps/operator/dist/main.js', import.meta.url));

/** The server that holds the database, and what is to become of it. */
let postgres: OwnPostgres;
let standby: OwnPostgres;
let database: FaultyTcpProxy;
/** The second gateway's way to Redis. */
let redis: FaultyTcpProxy;

// One system for all: gateways and cores are never started again, whatever becomes of their database.
const fixture = createFixture(async () => {
  [postgres, database, redis] = await Promise.all([
    ownPostgres(),
    FaultyTcpProxy.start(),
    FaultyTcpProxy.start(),
  ]);
  await postgres.stop();
  const copy = await copyFiles(postgres);
  postgres = await restartPostgres(postgres);
  standby = await startCopy(copy, { standbyOf: postgres });
  database.open(postgres.url);
  return {
    gateways: 1,
    cores: 1,
    databaseUrl: database.urlOf(postgres.url),
    env: { DELIVERY_ACK_DEADLINE_MS: '300' },
    gatewayEnv: { DRAIN_SECONDS: '0', CURSOR_FLUSH_MS: '50' },
  };
});

beforeAll(async () => {
  const { system } = fixture;
  redis.open(system.redisUrl);
  await system.addCore();
  await system.addGateway({ REDIS_URL: redis.urlOf(system.redisUrl) });
});

afterAll(async () => {
  await database?.stop();
  await redis?.stop();
  await Promise.all([postgres, standby].map((one) => one?.crash().catch(() => {})));
});

/** People in a group, and what they had before the moment to which the database will go back. */
async function meet() {
  const [here, there] = fixture.system.gateways.map(({ url }) => url) as [string, string];
  const ada = await fixture.member(here);
  const bob = await fixture.member(there);
  const cem = await fixture.member(there);
  const dana = await fixture.member(there);
  const received = Promise.all([ada, bob, cem].map((member) => next(member, 'group')));
  const groupId = await ada.client.createGroup('hikes', [bob.sid, cem.sid]);
  await received;
  const all = [ada, bob, cem];
  await say(ada, groupId, ['one', 'two', 'three'], all);
  return { ada, bob, cem, dana, all, groupId };
}
type Meeting = Awaited<ReturnType<typeof meet>>;

/** What happens after that moment, is acknowledged by all, and will be lost. @returns the highest ids given */
async function goOn({ ada, dana, all, groupId }: Meeting) {
  await say(ada, groupId, ['lost four', 'lost five'], all);
  const joined = next(dana, 'group');
  await ada.client.addMember(groupId, dana.sid);
  await joined;
  await say(ada, groupId, ['lost six'], [...all, dana]);
  const eve = await fixture.member(fixture.system.gateway(0).url);
  const lostGroup = await introduce(ada, eve);
  await say(ada, lostGroup, ['lost seven'], [ada, eve]);
  await until('their cursors are stored', async () => {
    const [row] = await postgres.query<{ lagging: string }>(
      `SELECT count(*) AS lagging FROM group_member m JOIN "group" g ON g.id = m.group_id
       WHERE g.id IN ($1, $2) AND m.delivered_seq < g.last_seq`,
      [groupId, lostGroup],
    );
    return row?.lagging === '0';
  });
  return { eve, given: await highestIds() };
}

/** Everything that is said from now on reaches who it is for, on whichever connection, and nobody else. */
async function goesOn(meeting: Meeting, { given }: Awaited<ReturnType<typeof goOn>>, midway = () => {}) {
  const { ada, bob, dana, all, groupId } = meeting;
  const [here, there] = fixture.system.gateways.map(({ url }) => url) as [string, string];
  const said = ['new one', 'new two', 'new three', 'new four', 'new five'];
  await say(ada, groupId, said.slice(0, 1), [ada]);
  midway();
  await say(ada, groupId, said.slice(1), all);
  const late = fixture.client(here, {}, bob.credential);
  late.client.on('message', (message) => late.messages.push(message));
  await late.client.signIn(bob.credential);
  await say(bob, groupId, ['newest'], [...all, late]);
  // Who was added in the lost history alone is not in the group.
  const direct = await ada.client.createGroup('', [dana.sid]);
  await say(ada, direct, ['for dana'], [ada, dana]);
  for (const content of [...said, 'newest']) expect(contents(dana)).not.toContain(content);
  for (const member of all) {
    const news = contents(member).filter((content) => content.startsWith('new'));
    expect(news).toEqual([...said, 'newest']);
  }
  // Nothing that was given once is given again, though nobody in the database knows that it was.
  const frank = await fixture.member(there);
  await introduce(ada, frank);
  const [oldest] = await postgres.query<{ message: string; group: string; user: string }>(
    `SELECT (SELECT min(id) FROM message WHERE content LIKE 'new%' AND group_id = $1) AS message,
       (SELECT max(id) FROM "group") AS group, (SELECT id FROM "user" WHERE sid = $2) AS user`,
    [groupId, frank.sid],
  );
  expect(Number(oldest?.message)).toBeGreaterThan(given.message);
  expect(Number(oldest?.group)).toBeGreaterThan(given.group);
  expect(Number(oldest?.user)).toBeGreaterThan(given.user);
  expect(Number(oldest?.message)).toBeLessThan(2 ** 52);
}

async function highestIds() {
  const [row] = await postgres.query<{ message: string; group: string; user: string }>(
    `SELECT (SELECT max(id) FROM message) AS message, (SELECT max(id) FROM "group") AS group,
       (SELECT max(id) FROM "user") AS user`,
  );
  return { message: Number(row?.message), group: Number(row?.group), user: Number(row?.user) };
}

async function say(speaker: Member, groupId: number, said: readonly string[], listeners: readonly Member[]) {
  for (const content of said) await speaker.client.send(groupId, content);
  await Promise.all(listeners.map((listener) => heard(listener, said)));
}

/** Until both cores have seen at least so much. */
async function untilCoresSaw(metric: 'epoch' | 'wal_bytes', least: number): Promise<void> {
  await until(`both cores saw ${metric} ${least}`, async () => {
    const all = await Promise.all(fixture.system.cores.map(({ adminUrl }) => metrics(adminUrl)));
    return all.every(({ value }) => value(`hooligram_core_database_${metric}`) >= least);
  });
}

/** Does something for which nobody may be connected. */
async function alone(statements: readonly string[]): Promise<void> {
  database.close();
  const end = `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = 'hooligram'`;
  for (const statement of [end, ...statements]) await postgres.query(statement, [], 'postgres');
  database.open(postgres.url);
}

function lead(to: OwnPostgres): void {
  postgres = to;
  database.close();
  database.open(to.url);
}

describe('what is said after the database came back older reaches everybody, on all connections', () => {
  test('when a standby was promoted that had not everything, though one core notices later', async () => {
    const meeting = await meet();
    const open = await connect(fixture.system.gateway(1).url);
    await until('the standby has it', async () => {
      const [has] = await postgres.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn() AS lsn');
      const sql = 'SELECT FROM pg_last_wal_replay_lsn() AS replayed WHERE replayed >= $1::pg_lsn';
      return (await standby.query(sql, [has?.lsn])).length > 0;
    });
    await standby.query(`ALTER SYSTEM SET primary_conninfo = ''`);
    await standby.query('SELECT pg_reload_conf()');
    await until(
      'it hears of nothing any more',
      async () => (await standby.query('SELECT FROM pg_stat_wal_receiver')).length === 0,
    );
    const lost = await goOn(meeting);

    fixture.system.core(1).freeze();
    await postgres.crash();
    await standby.query('SELECT pg_promote()');
    lead(standby);
    await goesOn(meeting, lost, () => fixture.system.core(1).resume());
    expect(await open.closed).toMatchObject({ code: 1012 });
  });

  test('when it was recovered to a moment ago, though a gateway was cut off from Redis meanwhile', async () => {
    const meeting = await meet();
    const backup = await backUp(postgres);
    const [moment] = await postgres.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn() AS lsn');
    const lost = await goOn(meeting);
    redis.close();
    await postgres.crash();
    lead(await startCopy(backup, { recover: { from: postgres, toLsn: moment?.lsn ?? '' } }));
    await goesOn(meeting, lost, () => redis.open());
  });

  test('when its files were copied back from earlier', async () => {
    const meeting = await meet();
    await postgres.stop();
    const copy = await copyFiles(postgres);
    lead(await restartPostgres(postgres));
    const lost = await goOn(meeting);
    const [log] = await postgres.query<{ bytes: string }>(
      `SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn AS bytes`,
    );
    await untilCoresSaw('wal_bytes', Number(log?.bytes));
    await postgres.crash();
    lead(await startCopy(copy));
    await goesOn(meeting, lost);
  });

  test('when a copy from earlier was put in the place of the database', async () => {
    const meeting = await meet();
    await alone(['CREATE DATABASE earlier TEMPLATE hooligram']);
    const lost = await goOn(meeting);
    await alone([
      'ALTER DATABASE hooligram RENAME TO lost',
      'ALTER DATABASE earlier RENAME TO hooligram',
      'DROP DATABASE lost',
    ]);
    await goesOn(meeting, lost);
  });

  test('when rows were taken out under running cores, and an operator says so', async () => {
    const meeting = await meet();
    const { groupId } = meeting;
    const [last] = await postgres.query<{ id: string }>('SELECT max(id) AS id FROM message');
    const lost = await goOn(meeting);
    // As a database is that has not got them yet.
    await postgres.query(`
      BEGIN;
      DELETE FROM message WHERE id > ${last?.id};
      DELETE FROM group_member WHERE group_id > ${groupId} OR (group_id = ${groupId} AND joined_seq > 0);
      DELETE FROM "group" WHERE id > ${groupId};
      DELETE FROM "user" u WHERE NOT EXISTS (SELECT FROM group_member m WHERE m.user_id = u.id) AND u.id = (SELECT max(id) FROM "user");
      UPDATE "group" SET last_seq = 3, version = 1, version_seq = 0 WHERE id = ${groupId};
      UPDATE group_member SET delivered_seq = 3, delivered_version = least(delivered_version, 1)
      WHERE group_id = ${groupId};
      SELECT setval('message_id_seq', ${last?.id});
      COMMIT`);
    redis.close();
    const { stdout } = await promisify(execFile)(process.execPath, [operator, 'after-restore'], {
      env: { DATABASE_URL: postgres.url },
    });
    const [, epoch] = /^epoch (\d+) of the database has begun\n$/.exec(stdout) ?? [];
    await untilCoresSaw('epoch', Number(epoch));
    await goesOn(meeting, lost, () => redis.open());
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openQueues } from '@hooligram/bus/queues';
import { type Db, openDb } from '@hooligram/db';
import { startRedis } from '@hooligram/local';
import { freePorts, metrics, silentLog, startSystem, until } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { FakeGateway } from './fake-gateway.ts';
import { group, send } from './group.ts';

const closers: (() => unknown)[] = [];
let started: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  started = await start();
});
afterAll(async () => {
  for (let close = closers.pop(); close; close = closers.pop()) await close();
});

const groupsCount = 200;
/** The checks that are due within this time are one job (apps/core/src/retries/delivery-check-schedule.ts). */
const bucketMs = 500;
const atOnce = 4;

/** Calls of each command so far, those inside of scripts included. */
async function calls(redis: Redis): Promise<Map<string, number>> {
  const lines = (await redis.info('commandstats')).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return new Map([...lines].map(([, name = '', count]) => [name, Number(count)]));
}

/** How often Redis has read from a connection so far, and written to one. */
async function systemCalls(redis: Redis): Promise<{ reads: number; writes: number }> {
  const stats = await redis.info('stats');
  const of = (name: string) => Number(new RegExp(`^total_${name}_processed:(\\d+)`, 'm').exec(stats)?.[1]);
  return { reads: of('reads'), writes: of('writes') };
}

async function start() {
  const dir = mkdtempSync(join(tmpdir(), 'hooligram-redis-'));
  closers.push(() => rmSync(dir, { recursive: true, force: true }));
  const [port = 0] = await freePorts(1);
  const redis = await startRedis({ dataDir: dir, logDir: dir, port, restart: false });
  closers.push(() => redis.stop());
  const system = await startSystem({
    gateways: 0,
    env: { REDIS_URL: redis.url },
    // A statement that is ended for its time runs again, and its rows are counted twice.
    coreEnv: {
      ...{ SWEEP_EVERY_MS: '600000', LOCK_TIMEOUT_MS: '60000', STATEMENT_TIMEOUT_MS: '60000' },
      REQUEST_SETTLE_MS: '67000',
    },
  });
  closers.push(() => system.stop());
  const gateway = await FakeGateway.connect({ redisUrl: redis.url, prefix: system.prefix });
  closers.push(() => gateway.close());
  const db = openDb({ url: system.databaseUrl, applicationName: 'test' });
  closers.push(() => db.close());
  const counted = async (name: string, labels: Record<string, string>) =>
    (await metrics(system.core(0).adminUrl)).value(`hooligram_core_${name}`, labels);
  return { gateway, db, counted };
}

test('1,000 groups whose checks are late are checked in two portions', async () => {
  const { gateway, counted } = started;
  const { redis, names } = gateway;
  const queues = openQueues({
    redis,
    prefix: names.queues,
    names: ['delivery-check'],
    now: Date.now,
    log: silentLog,
  });
  closers.push(() => queues.close());
  const portions = () => counted('database_statement_seconds_count', { statement: 'delivery_checks' });
  const bucket = Date.now() - 60_000;
  // Of groups that do not exist there is nothing to say, and they are asked for all the same.
  const due = Array.from({ length: 1_000 }, (_, index) => [bucket, 2 ** 50 + index]);
  await redis.zadd(names.dueGroups, ...due.flat());
  const before = await portions();
  await queues.add('delivery-check', [{ data: { bucket }, key: String(bucket) }]);
  await until('none of them waits', async () => (await redis.keys(`${names.dueGroups}*`)).length === 0);
  expect((await portions()) - before).toBe(2);
});

test('messages to groups of which each has one cost fewer jobs than a quarter of them, or one a bucket, and fewer than 25 Redis commands each', async () => {
  const { gateway, db, counted } = started;
  const groups = [];
  while (groups.length < groupsCount) {
    groups.push(...(await Promise.all(Array.from({ length: atOnce }, () => group(gateway, db)))));
  }
  const checksOf = () => counted('delivery_checks_total', { by: 'job' });
  await until('the new groups are checked', checksOf, (checks) => checks >= groupsCount);
  const [jobs, checks, before] = [
    await counted('jobs_added_total', {}),
    await checksOf(),
    await calls(gateway.redis),
  ];
  const callsBefore = await systemCalls(gateway.redis);
  const begunAt = Date.now();
  for (let sent = 0; sent < groupsCount; sent += atOnce) {
    const some = groups.slice(sent, sent + atOnce);
    await Promise.all(some.map(({ group_id, one }) => send(gateway, group_id, one)));
  }
  const callsAfter = await systemCalls(gateway.redis);
  const buckets = Math.ceil((Date.now() - begunAt) / bucketMs) + 2;
  await until('they are checked', checksOf, (count) => count >= checks + groupsCount);
  const after = await calls(gateway.redis);
  const added = (await counted('jobs_added_total', {})) - jobs;
  const costs = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  const perMessage = costs.reduce((sum, [, count]) => sum + count, 0) / groupsCount;
  const largest = costs.toSorted(([, one], [, other]) => other - one).slice(0, 20);
  process.stderr.write(`${groupsCount} cold messages: ${added} jobs, ${perMessage} Redis commands each\n`);
  const reads = (callsAfter.reads - callsBefore.reads) / groupsCount;
  const writes = (callsAfter.writes - callsBefore.writes) / groupsCount;
  process.stderr.write(`until they were answered Redis read ${reads} times a message, and wrote ${writes}\n`);
  process.stderr.write(`${largest.map(([name, count]) => `${name} ${count}`).join(', ')}\n`);
  // A check that is a moment early is followed by another one.
  expect(await checksOf()).toBeLessThan(checks + 1.5 * groupsCount);
  // On a slow machine they fall into more buckets.
  expect(added).toBeLessThan(Math.max(groupsCount / 4, buckets));
  expect(perMessage).toBeLessThan(25);
});

/**
 * Counts from now on each row that anybody inserts, changes or deletes, at once and exactly, as Postgres' statistics do not;
 * but what cores note of their own work.
 */
async function countRows({ pool }: Db): Promise<() => Promise<number>> {
  await pool.query(`
    CREATE SEQUENCE rows_changed;
    CREATE FUNCTION count_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
      $$ BEGIN PERFORM nextval('rows_changed'); RETURN NULL; END $$;
    DO $$ DECLARE name regclass; BEGIN
      FOR name IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
        AND relname NOT IN ('sweep', 'upkeep', 'database_epoch') LOOP
        EXECUTE format('CREATE TRIGGER count_row AFTER INSERT OR UPDATE OR DELETE ON %s
          FOR EACH ROW EXECUTE FUNCTION count_row()', name);
      END LOOP;
    END $$`);
  return async () => {
    const { rows } = await pool.query<{ count: number }>(
      'SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS count FROM rows_changed',
    );
    return rows[0]?.count ?? 0;
  };
}

test('a cold message that two users acknowledge changes four rows: the message, its group, and a cursor each', async () => {
  const { gateway, db } = started;
  const groups: Awaited<ReturnType<typeof group>>[] = [];
  while (groups.length < 50) {
    groups.push(...(await Promise.all(Array.from({ length: 10 }, () => group(gateway, db)))));
  }
  const rowsSoFar = await countRows(db);
  await Promise.all(groups.map(({ group_id, one }) => send(gateway, group_id, one)));
  expect(await rowsSoFar()).toBe(2 * groups.length);
  const cursors = (delivered_version: number) =>
    groups.flatMap(({ group_id, people }) =>
      people.map(({ user_id }) => ({ user_id, group_id, delivered_seq: 1, delivered_version })),
    );
  await gateway.request('CURSOR_RAISE', { cursors: cursors(0) });
  expect(await rowsSoFar()).toBe(4 * groups.length);
  // What one flush of a gateway raises twice is a row, and what is stored already is none.
  await Promise.all([0, 1].map((version) => gateway.request('CURSOR_RAISE', { cursors: cursors(version) })));
  expect(await rowsSoFar()).toBe(6 * groups.length);
});

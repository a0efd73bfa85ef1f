import { EventEmitter } from 'node:events';
import { createLifecycle, createLog, type Part } from '@hooligram/service';
import { expect, test } from '@jest/globals';
import type { CoreService } from '../config.ts';
import type { Shard } from './shard.ts';
import { Shards } from './shards.ts';

const log = createLog({ name: 'core', level: 'silent' });

/** As many Redis as these, all reached; each has one part, which works until a test says otherwise. */
async function setUp(addresses: readonly string[]) {
  const lifecycle = createLifecycle({ log, deadlineMs: 1_000 });
  const parts: Part[] = [];
  const shards = new Shards({ lifecycle, log } as unknown as CoreService, addresses);
  await shards.connect(async (_, index, service) => {
    parts[index] = service.lifecycle.part('claims');
    return {
      index,
      service,
      redis: { command: Object.assign(new EventEmitter(), { status: 'ready' }) },
    } as unknown as Shard;
  });
  await shards.start(async () => {});
  await new Promise((resolve) => setImmediate(resolve));
  const bus = async () => (await lifecycle.readiness()).checks.bus;
  const remark = async () => (await lifecycle.readiness()).remarks?.bus;
  return { shards, parts, bus, remark, lifecycle };
}

test('of three Redis two have to work, and readiness says how many do and what is wrong with the others, also when enough work, without their passwords', async () => {
  const { parts, bus, remark, shards } = await setUp(['redis://a', 'redis://u:hunter2@b', 'redis://c']);
  expect([await bus(), await remark(), shards.working]).toEqual(['ok', undefined, 3]);
  expect(shards.isFirst(0)).toBe(true);
  parts[0]?.failed('broken');
  expect([await bus(), await remark(), shards.working]).toEqual([
    'ok',
    '2 of 3 Redis work: redis://a: claims: broken',
    2,
  ]);
  expect([0, 1, 2].map((index) => shards.isFirst(index))).toEqual([true, true, false]);
  parts[1]?.failed('gone');
  expect([await bus(), await remark(), shards.working]).toEqual([
    '1 of 3 Redis work: redis://a: claims: broken; redis://***@b: claims: gone',
    undefined,
    1,
  ]);
  parts[0]?.works();
  expect(await bus()).toBe('ok');
});

test('of two Redis one has to work', async () => {
  const { parts, bus } = await setUp(['redis://a', 'redis://b']);
  parts[0]?.failed('broken');
  expect(await bus()).toBe('ok');
  parts[1]?.failed('broken');
  expect(await bus()).toBe('0 of 2 Redis work: redis://a: claims: broken; redis://b: claims: broken');
});

test('what runs on a Redis is closed behind the intake and before the database, its connections behind that', async () => {
  const lifecycle = createLifecycle({ log, deadlineMs: 1_000 });
  const closed: string[] = [];
  const shards = new Shards({ lifecycle, log } as unknown as CoreService, ['redis://a', 'redis://b']);
  await shards.connect(async (_, index, service) => {
    service.lifecycle.onClose('connection', () => closed.push(`connection ${index}`));
    return { index, service, redis: { command: new EventEmitter() } } as unknown as Shard;
  });
  lifecycle.onClose('database', () => closed.push('database'));
  await shards.start(async ({ index, service }) => {
    service.lifecycle.onClose('jobs', () => closed.push(`jobs ${index}`));
  });
  lifecycle.onClose('intake', () => closed.push('intake'));
  expect(await lifecycle.close()).toBe(true);
  expect(closed).toEqual(['intake', 'jobs 0', 'jobs 1', 'database', 'connection 0', 'connection 1']);
});

test('a Redis that fails when enough others have started is told in the log', async () => {
  const errors: object[] = [];
  const loud = { ...log, error: (fields: object) => errors.push(fields), warn() {}, info() {} };
  const lifecycle = createLifecycle({ log, deadlineMs: 1_000 });
  const service = { lifecycle, log: loud } as unknown as CoreService;
  const shards = new Shards(service, ['redis://a', 'redis://b']);
  let fail = (_: Error) => {};
  await shards.connect(async (_, index, own) => {
    if (index === 1) await new Promise((__, reject) => (fail = reject));
    return { index, service: own, redis: { command: new EventEmitter() } } as unknown as Shard;
  });
  await shards.start(async () => {});
  const err = new Error('late');
  fail(err);
  await new Promise((resolve) => setImmediate(resolve));
  expect(errors).toEqual([{ err, redis: 1 }]);
  await lifecycle.close();
});

test('what one Redis needs is no condition of its own, and is closed when all else is', async () => {
  const { shards, lifecycle } = await setUp(['redis://a', 'redis://b']);
  expect(Object.keys((await lifecycle.readiness()).checks)).toEqual(['process', 'bus']);
  const closed: string[] = [];
  for (const { index, service } of shards.all()) {
    service.lifecycle.onClose('first', () => closed.push(`first of ${index}`));
    service.lifecycle.onClose('second', () => closed.push(`second of ${index}`));
  }
  lifecycle.onClose('intake', () => closed.push('intake'));
  expect(await lifecycle.close()).toBe(true);
  expect(closed).toEqual(['intake', 'second of 0', 'second of 1', 'first of 0', 'first of 1']);
});

test('what runs on one of several Redis is told at its end whether the process stops because of an error', async () => {
  const { shards, lifecycle } = await setUp(['redis://a', 'redis://b']);
  const isFailing: boolean[] = [];
  for (const { service } of shards.all()) {
    service.lifecycle.onClose('last', () => isFailing.push(service.lifecycle.isFailing));
  }
  await lifecycle.close(true);
  expect(isFailing).toEqual([true, true]);
});

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
  const redis = async () => (await lifecycle.readiness()).checks.redis;
  return { shards, parts, redis, lifecycle };
}

test('of three Redis two have to work, and readiness says which ones do not, without their passwords', async () => {
  const { parts, redis, shards } = await setUp(['redis://a', 'redis://u:hunter2@b', 'redis://c']);
  expect(await redis()).toBe('ok');
  expect(shards.isFirst(0)).toBe(true);
  parts[0]?.failed('broken');
  expect(await redis()).toBe('ok');
  expect([0, 1, 2].map((index) => shards.isFirst(index))).toEqual([true, true, false]);
  parts[1]?.failed('gone');
  expect(await redis()).toBe('1 of 3 Redis work: redis://a: claims: broken; redis://***@b: claims: gone');
  parts[0]?.works();
  expect(await redis()).toBe('ok');
});

test('of two Redis one has to work', async () => {
  const { parts, redis } = await setUp(['redis://a', 'redis://b']);
  parts[0]?.failed('broken');
  expect(await redis()).toBe('ok');
  parts[1]?.failed('broken');
  expect(await redis()).toBe('0 of 2 Redis work: redis://a: claims: broken; redis://b: claims: broken');
});

test('what one Redis needs is no condition of its own, and is closed when all else is', async () => {
  const { shards, lifecycle } = await setUp(['redis://a', 'redis://b']);
  expect(Object.keys((await lifecycle.readiness()).checks)).toEqual(['process', 'redis']);
  const closed: string[] = [];
  for (const { index, service } of shards.all()) {
    service.lifecycle.onClose('first', () => closed.push(`first of ${index}`));
    service.lifecycle.onClose('second', () => closed.push(`second of ${index}`));
  }
  lifecycle.onClose('intake', () => closed.push('intake'));
  expect(await lifecycle.close()).toBe(true);
  expect(closed).toEqual(['intake', 'second of 0', 'second of 1', 'first of 0', 'first of 1']);
});

import { expect, test } from '@jest/globals';
import { slotOf, tagOf } from './cluster-tags.ts';

test('a key is in the slot that Redis puts it in', () => {
  // From the Redis Cluster specification: the CRC-16 of its test vector is 31C3.
  expect(slotOf('123456789')).toBe(0x31c3);
  expect(slotOf('foo')).toBe(12_182);
});

test('the slot of a shard is in the middle of its part of all slots, so each of as many masters has one', () => {
  for (const shards of [2, 3, 6, 64]) {
    const parts = Array.from(
      { length: shards },
      (_, shard) => (slotOf(tagOf(shard, shards)) * shards) / 16_384,
    );
    for (const [shard, part] of parts.entries()) expect(Math.abs(part - shard - 0.5)).toBeLessThan(0.25);
  }
});

test('the tags of three shards never change: they stand in the names of what Redis keeps', () => {
  expect([0, 1, 2].map((shard) => tagOf(shard, 3))).toEqual(['3', '12', '0']);
});

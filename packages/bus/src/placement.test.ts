import { expect, test } from '@jest/globals';
import { Placement, partitionOf, partitions, shardOf, shardsNeeded } from './placement.ts';

const all = Array.from({ length: partitions }, (_, partition) => partition);

test('ids that follow each other are spread evenly over the partitions', () => {
  const counts = new Map<number, number>();
  for (let id = 1; id <= 100 * partitions; id += 1) {
    counts.set(partitionOf(id), (counts.get(partitionOf(id)) ?? 0) + 1);
  }
  expect(counts.size).toBe(partitions);
  expect(Math.min(...counts.values())).toBeGreaterThan(90);
  expect(Math.max(...counts.values())).toBeLessThan(110);
});

test('the largest ids have a partition, and it depends on all their bits', () => {
  expect(partitionOf(Number.MAX_SAFE_INTEGER)).toBeGreaterThanOrEqual(0);
  expect(partitionOf(Number.MAX_SAFE_INTEGER)).toBeLessThan(partitions);
  expect(partitionOf(2 ** 40 + 7)).not.toBe(partitionOf(7));
});

test('each of several Redis has a fair part of the partitions', () => {
  for (const shards of [2, 3, 4, 8]) {
    const counts = Array.from({ length: shards }, () => 0);
    for (const partition of all)
      counts[shardOf(partition, shards)] = (counts[shardOf(partition, shards)] ?? 0) + 1;
    expect(Math.min(...counts)).toBeGreaterThan((0.6 * partitions) / shards);
    expect(Math.max(...counts)).toBeLessThan((1.5 * partitions) / shards);
  }
});

test('with one more Redis a partition stays, or goes to the new one', () => {
  for (const shards of [1, 2, 3, 7]) {
    for (const partition of all) {
      expect([shardOf(partition, shards), shards]).toContain(shardOf(partition, shards + 1));
    }
  }
});

test('with one Redis everything is there', () => {
  const placement = new Placement(1);
  expect(all.map((id) => placement.of(id))).toEqual(all.map(() => 0));
});

test('what has a name and no id is spread over all Redis', () => {
  const placement = new Placement(3);
  const shards = all.map((number) => placement.ofName(`limit ${number}`));
  expect(new Set(shards)).toEqual(new Set([0, 1, 2]));
  expect(shards).toEqual(all.map((number) => placement.ofName(`limit ${number}`)));
});

test('a process is of use while more than half of several Redis work, and of two while one does', () => {
  expect([1, 2, 3, 4, 5].map(shardsNeeded)).toEqual([1, 1, 2, 3, 3]);
});

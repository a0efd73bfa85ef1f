import { expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { createRequestWriter } from './request-writer.ts';

/** What a writer with at most four requests an entry writes of one turn. */
async function entriesOf(added: readonly (readonly [request: number, run?: object])[]): Promise<number[][]> {
  const entries: number[][] = [];
  const xadd = async (...parts: unknown[]) => entries.push(JSON.parse(String(parts.at(-1))) as number[]);
  const writer = createRequestWriter<number>({
    redis: { status: 'ready', xadd } as unknown as Redis,
    stream: 'requests',
    node: 'node',
    deadlineMs: 1_000,
    requestsMax: 4,
    onFailed: (_requests, error) => {
      throw error;
    },
  });
  for (const [request, run] of added) writer.add(request, run);
  await new Promise((resolve) => setImmediate(resolve));
  return entries;
}

test('the requests of one turn leave in as few entries as their size allows, in order', async () => {
  expect(await entriesOf([[1], [2], [3]])).toEqual([[1, 2, 3]]);
  expect(await entriesOf([[1], [2], [3], [4], [5], [6], [7], [8], [9]])).toEqual([
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [9],
  ]);
});

test('a run is never parted, because two entries may go to two cores', async () => {
  const [a, b] = [{}, {}];
  expect(await entriesOf([[1], [2], [3, a], [4, a], [5, a], [6, a], [7, b], [8, b]])).toEqual([
    [1, 2, 3, 4, 5, 6],
    [7, 8],
  ]);
  expect(
    await entriesOf([
      [1, a],
      [2, a],
      [3, a],
      [4, a],
      [5, b],
      [6, b],
    ]),
  ).toEqual([
    [1, 2, 3, 4],
    [5, 6],
  ]);
});

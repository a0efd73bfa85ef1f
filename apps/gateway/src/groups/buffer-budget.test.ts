import { expect, test } from '@jest/globals';
import { BufferBudget } from './buffer-budget.ts';
import { Gap } from './gap.ts';
import { RecentMessages } from './recent-messages.ts';

const message = (bytes: number) => ({ version: 1, messageId: 1, frame: new Uint8Array(bytes) });

test('messages behind gaps are bounded in bytes: those of the group that has most are dropped and fetched', async () => {
  let dropped = 0;
  const outOfOrder = new BufferBudget(1_000, () => {
    dropped += 1;
  });
  const deps = {
    gapWaitMs: 3_600_000,
    outOfOrderMax: 1_000,
    outOfOrder,
    metrics: { gapsFetched: { inc: () => undefined } },
  } as unknown as ConstructorParameters<typeof Gap>[1];
  const gaps = ['small', 'large'].map((name) => {
    const feed = { name, isOpen: true, lastSeq: 1, pages: 0, fetchPage: async () => 'all' as const };
    feed.fetchPage = async () => {
      feed.pages += 1;
      return 'all';
    };
    return { feed, gap: new Gap(feed, deps) };
  });
  const [small, large] = gaps as [(typeof gaps)[0], (typeof gaps)[0]];
  for (let seq = 3; seq < 6; seq += 1) small.gap.keep(seq, message(100));
  for (let seq = 3; seq < 10; seq += 1) large.gap.keep(seq, message(100));
  // One that comes again is kept once.
  large.gap.keep(9, message(100));
  expect([outOfOrder.bytes, dropped]).toEqual([1_000, 0]);
  small.gap.keep(6, message(1));
  expect([outOfOrder.bytes, dropped]).toEqual([301, 1]);
  expect([small.gap.isOutOfOrder, large.gap.isOutOfOrder]).toEqual([true, false]);
  expect([small.feed.pages, large.feed.pages]).toEqual([0, 1]);
  expect(small.gap.take(3, 1)?.frame).toHaveLength(100);
  small.gap.onProgress(5);
  expect(outOfOrder.bytes).toBe(1);
  for (const { gap } of gaps) gap.close();
  expect(outOfOrder.bytes).toBe(0);
});

test('recent messages are bounded in bytes: those of the group that has most are dropped, and a replay fetches them', () => {
  let dropped = 0;
  const budget = new BufferBudget(1_000, () => {
    dropped += 1;
  });
  const [small, large] = [new RecentMessages(budget), new RecentMessages(budget)];
  small.open(10);
  large.open(10);
  small.open(10);
  for (let seq = 11; seq <= 13; seq += 1) small.add(seq, 'x'.repeat(100));
  for (let seq = 11; seq <= 17; seq += 1) large.add(seq, new Uint8Array(100));
  expect([budget.bytes, dropped]).toEqual([1_000, 0]);
  small.add(14, 'x');
  expect([budget.bytes, dropped]).toEqual([301, 1]);
  expect(small.framesAfter(12, 1_000)).toEqual(['x'.repeat(100), 'x']);
  expect(large.framesAfter(16, 1_000)).toBeUndefined();
  // From there on it is complete again.
  large.add(18, 'next');
  expect(large.framesAfter(17, 1_000)).toEqual(['next']);
  small.close();
  expect(budget.bytes).toBe(305);
  small.close();
  large.close();
  expect(budget.bytes).toBe(0);
});

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

test('a kept message keeps nothing of what it came with: it is a copy of its own', () => {
  const read = new Uint8Array(65_536);
  const frame = read.subarray(100, 200);
  const budget = () => new BufferBudget(1_000, () => undefined);
  const recent = new RecentMessages(budget());
  recent.open(10);
  recent.add(11, frame);
  const [kept] = recent.framesAfter(10, 1_000) as [Uint8Array];
  expect([kept.length, kept.buffer.byteLength]).toEqual([100, 100]);
  const feed = { isOpen: true, lastSeq: undefined, fetchPage: async () => 'all' as const };
  const deps = { gapWaitMs: 3_600_000, outOfOrderMax: 10, outOfOrder: budget() };
  const gap = new Gap(feed, deps as unknown as ConstructorParameters<typeof Gap>[1]);
  gap.keep(13, { version: 1, messageId: 1, frame });
  expect(gap.take(13, 1)?.frame.buffer.byteLength).toBe(100);
});

test('beyond the limit a tenth of it is dropped at once: not each message more is a look at all buffers', () => {
  let [looks, dropped] = [0, 0];
  const budget = new BufferBudget(10_000, () => {
    dropped += 1;
  });
  const keep = () => {
    let own = 1;
    const buffer = {
      get bytes() {
        looks += 1;
        return own;
      },
      drop() {
        own = 0;
        budget.move(buffer, -1);
      },
    };
    budget.move(buffer, 1);
  };
  for (let n = 0; n < 10_000; n += 1) keep();
  expect([budget.bytes, dropped]).toEqual([10_000, 0]);
  looks = 0;
  for (let n = 0; n < 1_000; n += 1) keep();
  expect([budget.bytes, dropped]).toEqual([9_999, 1_001]);
  // One look at all, sorted.
  expect(looks).toBeLessThan(30 * 10_000);
});

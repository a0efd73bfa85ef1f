import { expect, test } from '@jest/globals';
import { MessageRate } from './message-rate.ts';

const rate = { points: 100, seconds: 60 };

/** What Redis counts, and how often it is asked. */
function shared() {
  const counts = new Map<number, number>();
  let asked = 0;
  return {
    asked: () => asked,
    async add(userId: number, points: number) {
      asked += 1;
      counts.set(userId, (counts.get(userId) ?? 0) + points);
      return counts.get(userId) as number;
    },
  };
}

const sent = (one: MessageRate, times: number, nowMs: number, userId = 1) =>
  Array.from({ length: times }, () => one.isOver(userId, nowMs)).filter((isOver) => !isOver).length;

test('a user sends so many messages in a window, and as many in the next one', () => {
  const one = new MessageRate(rate, shared());
  expect(sent(one, 150, 60_000)).toBe(100);
  expect(sent(one, 10, 119_999)).toBe(0);
  expect(one.waitSeconds(90_000)).toBe(30);
  expect(sent(one, 10, 60_000, 2)).toBe(10);
  expect(sent(one, 150, 120_000)).toBe(100);
});

test('cores together let hardly more through than one', async () => {
  const redis = shared();
  const cores = [new MessageRate(rate, redis), new MessageRate(rate, redis), new MessageRate(rate, redis)];
  let all = 0;
  for (let round = 0; round < 100; round += 1) {
    for (const core of cores) all += sent(core, 1, 60_000);
    await Promise.resolve();
  }
  expect(all).toBeGreaterThanOrEqual(100);
  expect(all).toBeLessThanOrEqual(115);
});

test('a user who sends little costs Redis nothing', () => {
  const redis = shared();
  const one = new MessageRate(rate, redis);
  for (let userId = 0; userId < 1_000; userId += 1) sent(one, 4, 60_000, userId);
  expect(redis.asked()).toBe(0);
});

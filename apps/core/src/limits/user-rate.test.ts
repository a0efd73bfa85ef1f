import { expect, test } from '@jest/globals';
import { UserRate } from './user-rate.ts';

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

const done = (one: UserRate, times: number, nowMs: number, userId = 1) =>
  Array.from({ length: times }, () => one.isOver(userId, nowMs)).filter((isOver) => !isOver).length;

test('a user does something so often in a window, and as many in the next one', () => {
  const one = new UserRate(rate, shared());
  expect(done(one, 150, 60_000)).toBe(100);
  expect(done(one, 10, 119_999)).toBe(0);
  expect(one.waitSeconds(90_000)).toBe(30);
  expect(done(one, 10, 60_000, 2)).toBe(10);
  expect(done(one, 150, 120_000)).toBe(100);
});

test('cores together let hardly more through than one', async () => {
  const redis = shared();
  const cores = [new UserRate(rate, redis), new UserRate(rate, redis), new UserRate(rate, redis)];
  let all = 0;
  for (let round = 0; round < 100; round += 1) {
    for (const core of cores) all += done(core, 1, 60_000);
    await Promise.resolve();
  }
  expect(all).toBeGreaterThanOrEqual(100);
  expect(all).toBeLessThanOrEqual(115);
});

test('a second run of a request counts nothing', () => {
  const one = new UserRate({ points: 2, seconds: 60 }, shared());
  const isOver = (id: string) => one.isOver(1, 60_000, id);
  expect(['a', 'a', 'a', 'b', 'b', 'c', 'b'].map(isOver)).toEqual([
    ...[false, false, false, false, false],
    ...[true, false],
  ]);
});

test('a user who does little costs Redis nothing', () => {
  const redis = shared();
  const one = new UserRate(rate, redis);
  for (let userId = 0; userId < 1_000; userId += 1) done(one, 4, 60_000, userId);
  expect(redis.asked()).toBe(0);
});

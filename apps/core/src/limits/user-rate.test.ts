import { expect, test } from '@jest/globals';
import { type TakenOfUser, UserRate } from './user-rate.ts';

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

/** So many at once, of which those that are allowed are done. @returns how many those are */
async function done(one: UserRate, times: number, nowMs: number, userId = 1): Promise<number> {
  const taken = Array.from({ length: times }, () => one.take(userId, nowMs) ?? []).flat();
  return one.during(taken, async () => taken.length);
}

test('a user does something so often in a window, and as many in the next one', async () => {
  const one = new UserRate(rate, shared());
  expect(await done(one, 150, 60_000)).toBe(100);
  expect(await done(one, 10, 119_999)).toBe(0);
  expect(one.waitSeconds(90_000)).toBe(30);
  expect(await done(one, 10, 60_000, 2)).toBe(10);
  expect(await done(one, 150, 120_000)).toBe(100);
});

test('cores together let hardly more through than one', async () => {
  const redis = shared();
  const cores = [new UserRate(rate, redis), new UserRate(rate, redis), new UserRate(rate, redis)];
  let all = 0;
  for (let round = 0; round < 100; round += 1) {
    for (const core of cores) all += await done(core, 1, 60_000);
  }
  expect(all).toBeGreaterThanOrEqual(100);
  expect(all).toBeLessThanOrEqual(115);
});

test('what fails counts nothing, here or elsewhere, however often it is run and whatever else of the user is under way', async () => {
  const redis = shared();
  const [one, other] = [new UserRate(rate, redis), new UserRate(rate, redis)];
  for (let run = 0; run < 40; run += 1) {
    const taken = Array.from({ length: 64 }, () => one.take(1, 60_000));
    expect(taken).not.toContain(undefined);
    const fails = one.during(taken as TakenOfUser[], () => Promise.reject(new Error('read-only')));
    expect(await done(one, 36, 60_000, 2 + run)).toBe(36);
    await expect(fails).rejects.toThrow('read-only');
  }
  expect(await done(one, 150, 60_000)).toBe(100);
  await Promise.resolve();
  // It learns of what was done on the first one with its own first step.
  expect(await done(other, 5, 60_000)).toBe(5);
  expect(await done(other, 5, 60_000)).toBe(0);
});

test('what fails after its window gives the next one nothing', async () => {
  const one = new UserRate(rate, shared());
  const taken = [one.take(1, 60_000), one.take(1, 60_000)] as TakenOfUser[];
  let fail = (_: Error) => {};
  const fails = one.during(taken, () => new Promise((_, reject) => (fail = reject)));
  expect(await done(one, 60, 120_000)).toBe(60);
  fail(new Error('too late'));
  await expect(fails).rejects.toThrow('too late');
  expect(await done(one, 60, 120_000)).toBe(40);
});

test('a user who does little costs Redis nothing', async () => {
  const redis = shared();
  const one = new UserRate(rate, redis);
  for (let userId = 0; userId < 1_000; userId += 1) await done(one, 4, 60_000, userId);
  expect(redis.asked()).toBe(0);
});

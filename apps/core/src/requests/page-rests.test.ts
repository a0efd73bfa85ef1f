import { expect, test } from '@jest/globals';
import { PageRests } from './page-rests.ts';

/** A clock on which nothing takes any time but what is said to. */
function clock() {
  let nowMs = 0;
  let pausedMs = 0;
  return {
    nowMs: () => nowMs,
    async pause(ms: number) {
      pausedMs += ms;
      nowMs += ms;
    },
    pausedMs: () => pausedMs,
    /** A piece of work of so many milliseconds. */
    piece: (ms: number, isLarge: boolean) => () => {
      nowMs += ms;
      return { isLarge };
    },
  };
}

test('large pages have a ninth of the time at most, however many users wait for them, and small ones all of it', async () => {
  const time = clock();
  const rests = new PageRests(time);
  for (let page = 0; page < 10; page += 1) {
    await rests.over();
    rests.work(time.piece(3, false));
  }
  expect([time.nowMs(), time.pausedMs()]).toEqual([30, 0]);
  for (let page = 0; page < 10; page += 1) {
    await rests.over();
    rests.work(time.piece(2, true));
  }
  await rests.over();
  expect(time.pausedMs()).toBe(10 * 2 * 8);
});

test('two users whose pages were read at once rest for both, and a machine that stood still for a minute makes no long rest', async () => {
  const time = clock();
  const rests = new PageRests(time);
  rests.work(time.piece(2, true));
  rests.work(time.piece(2, true));
  await rests.over();
  expect(time.pausedMs()).toBe(2 * 2 * 8 - 2);
  rests.work(time.piece(60_000, true));
  await rests.over();
  expect(time.pausedMs()).toBe(30 + 50);
});

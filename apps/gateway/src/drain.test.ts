import { closeReasons } from '@hooligram/protocol';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Drain } from './drain.ts';
import type { Session } from './session.ts';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** Sessions that have nothing to wait for, and what they were closed with. */
function idleSessions(count: number): { sessions: Set<Session>; closed: number[] } {
  const closed: number[] = [];
  const session = {
    finish: async () => true,
    socket: { end: ({ code }: { code: number }) => closed.push(code) },
  };
  const sessions = Array.from({ length: count }, () => ({ ...session }) as unknown as Session);
  return { sessions: new Set(sessions), closed };
}

const rateMax = 1_000_000;
const patienceMs = 100_000;

test('clients are sent away evenly over the time that is given, each with 1012', async () => {
  const { sessions, closed } = idleSessions(400);
  const drain = new Drain(sessions, { spreadMs: 2_000, rateMax, patienceMs });
  const after: number[] = [];
  for (let fourth = 1; fourth <= 4; fourth += 1) {
    await jest.advanceTimersByTimeAsync(490);
    after.push(closed.length);
    expect(drain.left).toBe(400 - closed.length);
    await jest.advanceTimersByTimeAsync(10);
  }
  await drain.done;
  expect(after).toEqual([100, 200, 300, 400]);
  expect(new Set(closed)).toEqual(new Set([closeReasons.restarting.code]));
});

test('with no time given all of them are sent away at once', async () => {
  const { sessions, closed } = idleSessions(400);
  await new Drain(sessions, { spreadMs: 0, rateMax, patienceMs }).done;
  expect(closed).toHaveLength(400);
});

test.each([
  ['many', 400, 100],
  ['few', 10, 5],
])('%s clients are sent away no faster than the rate, however short the time', async (_, count, rate) => {
  const { sessions, closed } = idleSessions(count);
  const drain = new Drain(sessions, { spreadMs: 0, rateMax: rate, patienceMs });
  const perSecond: number[] = [];
  for (let before = 0; before < count; before = closed.length) {
    await jest.advanceTimersByTimeAsync(1_000);
    perSecond.push(closed.length - before);
  }
  await drain.done;
  // The first ones go at once, beyond the rate.
  expect(Math.max(...perSecond.slice(1))).toBeLessThanOrEqual(rate);
  expect(perSecond.length).toBeGreaterThanOrEqual(count / rate - 1);
});

test('clients are sent away faster than the rate where the last one would come too late', async () => {
  const { sessions, closed } = idleSessions(400);
  const drain = new Drain(sessions, { spreadMs: 1_000, rateMax: 10, withinMs: 2_000, patienceMs });
  await jest.advanceTimersByTimeAsync(2_000);
  await drain.done;
  expect(closed).toHaveLength(400);
});

test('a drain that is stopped leaves those whose turn has not come', async () => {
  const { sessions, closed } = idleSessions(400);
  const stop = new AbortController();
  const drain = new Drain(sessions, { spreadMs: 2_000, rateMax, patienceMs, signal: stop.signal });
  await jest.advanceTimersByTimeAsync(490);
  stop.abort();
  // At once, not when the next one's turn would have come.
  await drain.done;
  await jest.advanceTimersByTimeAsync(10_000);
  expect([closed.length, drain.left]).toEqual([100, 0]);
});

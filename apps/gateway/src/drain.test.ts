import { closeReasons } from '@hooligram/protocol';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { drain } from './drain.ts';
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

test('clients are sent away evenly over the time that is given, each with 1012', async () => {
  const { sessions, closed } = idleSessions(400);
  const drained = drain(sessions, { spreadMs: 2_000, patienceMs: 10_000 });
  const after: number[] = [];
  for (let fourth = 1; fourth <= 4; fourth += 1) {
    await jest.advanceTimersByTimeAsync(490);
    after.push(closed.length);
    await jest.advanceTimersByTimeAsync(10);
  }
  await drained;
  expect(after).toEqual([100, 200, 300, 400]);
  expect(new Set(closed)).toEqual(new Set([closeReasons.restarting.code]));
});

test('with no time given all of them are sent away at once', async () => {
  const { sessions, closed } = idleSessions(400);
  await drain(sessions, { spreadMs: 0, patienceMs: 10_000 });
  expect(closed).toHaveLength(400);
});

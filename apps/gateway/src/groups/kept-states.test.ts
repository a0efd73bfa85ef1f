import { afterEach, expect, jest, test } from '@jest/globals';
import { KeptStates, keptMs } from './kept-states.ts';

afterEach(() => {
  jest.useRealTimers();
});

const stateOf = (version: number, bytes: number) => ({ version, frame: Buffer.alloc(bytes) });
const versionsOf = (kept: KeptStates, ...groups: string[]) =>
  groups.map((group) => kept.take(group)?.version);

test('those that have been here longest make room, and what has no room alone is not kept', () => {
  const kept = new KeptStates(10_000);
  const groups = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  for (const [at, group] of groups.entries()) kept.keep(group, stateOf(at + 1, 1_000));
  // It was left again.
  kept.keep('a', stateOf(10, 1_000));
  const ofSeven = kept.bytes;
  kept.keep('h', { version: 11, frame: 'x'.repeat(500) });
  expect(kept.bytes).toBe(ofSeven);
  kept.keep('i', stateOf(12, 10_000));
  expect(versionsOf(kept, ...groups, 'h', 'i')).toEqual([10, undefined, 3, 4, 5, 6, 7, 11, undefined]);
  expect([kept.bytes, kept.take('a')]).toEqual([0, undefined]);
});

test('of a group that is too large now, no earlier state stays', () => {
  const kept = new KeptStates(1_000);
  kept.keep('a', stateOf(1, 100));
  kept.keep('a', stateOf(2, 1_000));
  expect([kept.take('a'), kept.bytes]).toEqual([undefined, 0]);
});

test('each is gone some minutes after its group was left, also if nothing else happens', () => {
  jest.useFakeTimers();
  const kept = new KeptStates(10_000);
  kept.keep('a', stateOf(1, 100));
  jest.advanceTimersByTime(keptMs / 2);
  kept.keep('b', stateOf(2, 100));
  const ofBoth = kept.bytes;
  jest.advanceTimersByTime(keptMs / 2);
  expect(kept.bytes).toBe(ofBoth / 2);
  jest.advanceTimersByTime(keptMs / 2);
  expect([kept.bytes, jest.getTimerCount()]).toEqual([0, 0]);
});

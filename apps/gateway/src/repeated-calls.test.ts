import { expect, test } from '@jest/globals';
import { RepeatedCalls } from './repeated-calls.ts';

test('a call that comes on each of several Redis is taken once, and the next one again', () => {
  const calls = new RepeatedCalls();
  const callOf = (token: number) => Buffer.from(JSON.stringify({ type: 'STATUS', token }));
  for (let token = 0; token < 200; token += 1) {
    const repeated = [0, 1, 2].map(() => calls.has(callOf(token)));
    expect(repeated).toEqual([false, true, true]);
  }
});

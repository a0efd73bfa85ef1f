import { closeReasons } from '@hooligram/protocol';
import { describe, expect, test } from '@jest/globals';
import { isLongPause, reconnectDelayMs } from './reconnect-delay.ts';

const least = 0;
const most = 0.999_999;

describe('a client that was disconnected', () => {
  test.each(Object.values(closeReasons))(
    'with $code waits as the protocol says',
    ({ code, reconnect, reconnectAfterMs }) => {
      const soonest = reconnectDelayMs(code, 0, least);
      expect(soonest).toBe(reconnect ? reconnectAfterMs : undefined);
      if (reconnect) expect(reconnectDelayMs(code, 3, least)).toBe(reconnectAfterMs);
    },
  );

  test('with 1008 never comes back', () => {
    for (const failures of [0, 1, 10]) expect(reconnectDelayMs(1008, failures, most)).toBeUndefined();
  });

  test('with 4408 comes back at once, with 1012 within half a second, by any other within two', () => {
    expect(reconnectDelayMs(4408, 0, most)).toBe(0);
    expect(Math.ceil(reconnectDelayMs(1012, 0, most) ?? 0)).toBe(500);
    for (const code of [1000, 1001, 1006, 1013, 4999]) {
      expect(Math.ceil(reconnectDelayMs(code, 0, most) ?? 0)).toBe(2_000);
    }
  });

  test('waits up to twice as long with each try that fails, up to 31 seconds, and any time below', () => {
    const longest = [0, 1, 2, 3, 4, 5, 6, 1_000].map(
      (failures) => reconnectDelayMs(1006, failures, most) ?? 0,
    );
    expect(longest.map((ms) => Math.ceil(ms / 1_000))).toEqual([2, 3, 5, 9, 17, 31, 31, 31]);
    expect(reconnectDelayMs(1006, 3, 0.5)).toBe(1_000 + 4_000);
    expect(reconnectDelayMs(4408, 2, 0.5)).toBe(2_000);
  });

  test('is asked for a long pause with 4409 and 4429 alone', () => {
    const long = [1006, ...Object.values(closeReasons).map(({ code }) => code)].filter(isLongPause);
    expect(long.sort()).toEqual([4409, 4429]);
  });
});

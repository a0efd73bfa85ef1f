import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createRepeatLimit } from './repeats.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function limited() {
  const written: string[] = [];
  const limit = createRepeatLimit(1_000);
  return {
    written,
    say: (key: string, text = key) => limit.pass(key, ({ count }) => written.push(`${text} ${count}`)),
  };
}

test('the first of a series is written at once, and the last one a period with the number of those between', () => {
  const { written, say } = limited();
  say('lost', 'first');
  for (let times = 0; times < 5_000; times += 1) say('lost', `again ${times}`);
  expect(written).toEqual(['first 0']);
  jest.advanceTimersByTime(1_000);
  expect(written).toEqual(['first 0', 'again 4999 5000']);
  say('lost', 'and again');
  jest.advanceTimersByTime(1_000);
  expect(written.slice(2)).toEqual(['and again 1']);
});

test('after a period of silence a series is new', () => {
  const { written, say } = limited();
  say('lost');
  jest.advanceTimersByTime(1_000);
  say('lost');
  expect(written).toEqual(['lost 0', 'lost 0']);
});

test('series of different keys do not hold each other back', () => {
  const { written, say } = limited();
  for (const key of ['a', 'b', 'a', 'b']) say(key);
  jest.advanceTimersByTime(1_000);
  expect(written).toEqual(['a 0', 'b 0', 'a 1', 'b 1']);
});

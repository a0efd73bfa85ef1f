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
  const limit = createRepeatLimit({ periodMs: 1_000, periodMaxMs: 4_000 });
  return {
    written,
    say: (key: string, text = key, subject?: string) =>
      limit.pass({ key, write: ({ count }) => written.push(`${text} ${count}`), subject }),
    end: limit.end,
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
  jest.advanceTimersByTime(1_999);
  expect(written.slice(2)).toEqual([]);
  jest.advanceTimersByTime(1);
  expect(written.slice(2)).toEqual(['and again 1']);
});

test('each period is twice as long as the one before, up to the longest', () => {
  const { written, say } = limited();
  say('lost');
  for (let second = 1; second <= 15; second += 1) {
    say('lost', `at ${second}`);
    jest.advanceTimersByTime(1_000);
  }
  expect(written).toEqual(['lost 0', 'at 1 1', 'at 3 2', 'at 7 4', 'at 11 4', 'at 15 4']);
});

test('when a line says that something works again, nothing of its failures comes behind it, and the next one is a line at once', () => {
  const { written, say, end } = limited();
  for (const subject of ['a', 'b'])
    for (let times = 0; times < 3; times += 1) say(`${subject} lost`, subject, subject);
  end('a');
  jest.advanceTimersByTime(1_000);
  expect(written).toEqual(['a 0', 'b 0', 'b 2']);
  say('a lost', 'a', 'a');
  expect(written.slice(3)).toEqual(['a 0']);
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

test('what is tried again after long pauses is one series until it works again', () => {
  const { written, say, end } = limited();
  for (let times = 0; times < 3; times += 1) {
    say('store', 'away', 'part store');
    jest.advanceTimersByTime(60_000);
  }
  expect(written).toEqual(['away 0', 'away 1', 'away 1']);
  end('part store');
  say('store', 'away', 'part store');
  expect(written.slice(3)).toEqual(['away 0']);
});

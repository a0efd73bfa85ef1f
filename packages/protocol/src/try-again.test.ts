import { expect, test } from '@jest/globals';
import { errorTexts, mayRetry } from './error-texts.ts';
import { readTryAgain, tryAgainIn } from './try-again.ts';

const { text } = errorTexts.tooManyRequests;

test('a text that says when to try again is read back, and without its time it is the text of the table', () => {
  expect(tryAgainIn(text, 12)).toBe('too many requests: try again in 12 s');
  expect(readTryAgain(tryAgainIn(text, 12))).toEqual({ text, seconds: 12 });
  expect(readTryAgain(text)).toEqual({ text, seconds: undefined });
  expect(readTryAgain('too many requests: try again in a while')).toMatchObject({ seconds: undefined });
});

test('the time is in whole seconds, never too early and never none', () => {
  expect([0, 0.1, 1, 1.01].map((seconds) => readTryAgain(tryAgainIn(text, seconds)).seconds)).toEqual([
    1, 1, 1, 2,
  ]);
});

test('a client may retry what failed with a time, if it may retry what failed without one', () => {
  expect(mayRetry([tryAgainIn(text, 3)])).toBe(true);
  expect(mayRetry([tryAgainIn(errorTexts.groupClosed.text, 3)])).toBe(false);
});

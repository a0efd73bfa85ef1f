import { expect, test } from '@jest/globals';
import { closeReasons, reconnectAdvice } from './close-codes.ts';
import { errorTexts, mayRetry } from './error-texts.ts';
import { clientRequestTypes, frameTypes, needsSignIn } from './frame.ts';
import { tryAgainIn } from './try-again.ts';

test('the protocol has 30 types and one addition', () => {
  expect(frameTypes).toHaveLength(31);
  expect(new Set(frameTypes).size).toBe(31);
  expect(frameTypes).toContain('CONN_FRAME_FAILURE');
});

test('requests about groups and messages need a sign-in, the others do not', () => {
  expect(clientRequestTypes.filter(needsSignIn)).toEqual([
    'GROUP_CREATE_REQUEST',
    'GROUP_LEAVE_REQUEST',
    'GROUP_ADD_MEMBER_REQUEST',
    'MESSAGING_SEND_REQUEST',
  ]);
  expect(clientRequestTypes).toHaveLength(8);
});

test('every error has a text of its own', () => {
  const texts = Object.values(errorTexts).map(({ text }) => text);
  expect(new Set(texts).size).toBe(texts.length);
});

test('a client may retry when all errors pass with time', () => {
  expect(mayRetry([errorTexts.serverBusy.text])).toBe(true);
  expect(mayRetry([errorTexts.serverBusy.text, errorTexts.groupClosed.text])).toBe(false);
  expect(mayRetry(['payload.group_id: must be an integer'])).toBe(false);
  expect(mayRetry([])).toBe(false);
  expect(mayRetry([tryAgainIn(errorTexts.tooManyAttempts.text, 57)])).toBe(true);
  expect(mayRetry([tryAgainIn(errorTexts.groupClosed.text, 57)])).toBe(false);
});

test('every close reason fits into a close frame and gives the advice of its code', () => {
  for (const { code, reason, reconnect, reconnectAfterMs } of Object.values(closeReasons)) {
    expect(new TextEncoder().encode(reason).length).toBeLessThanOrEqual(123);
    expect(reconnectAdvice(code)).toEqual({ reconnect, reconnectAfterMs });
  }
});

test('every close reason has a code of its own: it is all that is sure to reach a client', () => {
  const codes = Object.values(closeReasons).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
});

test('a connection that broke without a close frame is opened again', () => {
  expect(reconnectAdvice(1006)).toEqual({ reconnect: true, reconnectAfterMs: 1_000 });
});

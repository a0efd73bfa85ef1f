import { expect, test } from '@jest/globals';
import { readNodeCall, readNodeReply } from './node-calls.ts';
import { UnreadableError } from './shape.ts';

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const call = { type: 'DRAIN', node: 'n', token: 't', reply_to: 'c', params: { rate_max: null } };
const reply = { type: 'DRAIN', node: 'n', role: 'gateway', token: 't', body: { kind: 'drain', left: 3 } };

test('a call and its reply are read, with fields of a newer release', () => {
  expect(readNodeCall(bytes({ ...call, further: 1 }))).toMatchObject(call);
  expect(readNodeReply(bytes({ ...reply, further: 1 }))).toMatchObject(reply);
});

test('a call and a reply of a type that a newer release has are ignored', () => {
  expect(readNodeCall(bytes({ ...call, type: 'FREEZE' }))).toBeUndefined();
  expect(readNodeReply(bytes({ ...reply, type: 'toString' }))).toBeUndefined();
});

test.each([
  ['no JSON', Buffer.from('drain')],
  ['a call without a channel for replies', bytes({ ...call, reply_to: undefined })],
  ['a call with a rate that is no number', bytes({ ...call, params: { rate_max: '5' } })],
  ['a call without parameters', bytes({ ...call, params: null })],
])('%s is unreadable', (_, message) => {
  expect(() => readNodeCall(message)).toThrow(UnreadableError);
});

test.each([
  ['a reply of no role', bytes({ ...reply, role: 'web' })],
  ['a reply with another body', bytes({ ...reply, body: { kind: 'drained', left: 0 } })],
])('%s is unreadable', (_, message) => {
  expect(() => readNodeReply(message)).toThrow(UnreadableError);
});

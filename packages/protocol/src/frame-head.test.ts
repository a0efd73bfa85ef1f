import { expect, test } from '@jest/globals';
import { encodeFrame } from './encode.ts';
import { isDeliverySentBack, mayBeAcknowledgement, readFrameHead } from './frame-head.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test('the head of a frame is read, whatever follows', () => {
  const frame = encodeFrame('MESSAGING_SEND_REQUEST', 'a-1', { group_id: 1, content: 'x' });
  const head = { id: 'a-1', type: 'MESSAGING_SEND_REQUEST' };
  expect(readFrameHead(bytes(frame))).toEqual(head);
  expect(readFrameHead(bytes(frame.slice(0, 45)))).toEqual(head);
  expect(readFrameHead(bytes('{"id":"","type":"X"'))).toEqual({ id: '', type: 'X' });
});

test.each([
  '',
  '{',
  'hello',
  '{"type":"CONN_KEEP_ALIVE_REQUEST","id":"1","payload":{}}',
  '{"id":1,"type":"CONN_KEEP_ALIVE_REQUEST"}',
  '{"id":"é","type":"CONN_KEEP_ALIVE_REQUEST"}',
  '{"id":"\\u0041","type":"CONN_KEEP_ALIVE_REQUEST"}',
  `{"id":"${'x'.repeat(129)}","type":"CONN_KEEP_ALIVE_REQUEST"}`,
  `{"id":"1","type":"${'X'.repeat(65)}"}`,
  '{"id":"1","type":"CONN',
])('no head is read of %s', (text) => {
  expect(readFrameHead(bytes(text))).toBeUndefined();
  expect(isDeliverySentBack(bytes(text))).toBe(false);
});

test('a delivery that comes back is known by its head, an answer to it is not one', () => {
  const head = (type: string) => bytes(`{"id":"m.1.2","type":"${type}","payload":{}}`);
  expect(isDeliverySentBack(head('MESSAGING_DELIVER_REQUEST'))).toBe(true);
  expect(isDeliverySentBack(head('GROUP_DELIVER_REQUEST'))).toBe(true);
  expect(isDeliverySentBack(head('MESSAGING_DELIVER_SUCCESS'))).toBe(false);
  expect(isDeliverySentBack(head('MESSAGING_DELIVER_REQUEST_'))).toBe(false);
});

test.each([
  ['as JSON.stringify writes it', '{"id":"1","type":"GROUP_DELIVER_SUCCESS","payload":{"group_id":1}}'],
  [
    'with its keys in another order',
    '{"payload":{"message_id":1},"type":"MESSAGING_DELIVER_SUCCESS","id":"1"}',
  ],
  ['with spaces', '{ "id" : "1",\n "type" : "MESSAGING_DELIVER_SUCCESS", "payload" : { "message_id" : 1 } }'],
  [
    'with the longest id',
    `{"id":"${'\\u0041'.repeat(128)}","type":"GROUP_DELIVER_SUCCESS","payload":{"group_id":9007199254740991}}`,
  ],
])('an acknowledgement is known %s', (_, text) => {
  expect(mayBeAcknowledgement(bytes(text))).toBe(true);
});

test.each([
  ['a delivery', '{"id":"1","type":"GROUP_DELIVER_REQUEST","payload":{}}'],
  ['another answer', '{"id":"1","type":"CONN_KEEP_ALIVE_SUCCESS","payload":{}}'],
  ['nothing', ''],
  ['a large frame', `{"id":"1","type":"GROUP_DELIVER_SUCCESS","payload":{"more":"${'x'.repeat(1_024)}"}}`],
])('%s is not taken for an acknowledgement', (_, text) => {
  expect(mayBeAcknowledgement(bytes(text))).toBe(false);
});

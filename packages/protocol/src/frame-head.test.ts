import { expect, test } from '@jest/globals';
import { encodeFrame } from './encode.ts';
import { isDeliverySentBack, readFrameHead } from './frame-head.ts';

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

import { expect, test } from '@jest/globals';
import { encodeFrame, failure, frameFailure } from './encode.ts';

test('a frame is one text: id, type, payload, in this order', () => {
  expect(encodeFrame('MESSAGING_SEND_SUCCESS', '1', { message_id: 5 })).toBe(
    '{"id":"1","type":"MESSAGING_SEND_SUCCESS","payload":{"message_id":5}}',
  );
});

test('a FAILURE carries its errors, and the one of keep-alive none', () => {
  expect(failure('GROUP_LEAVE_REQUEST', 'x', ['not signed in'])).toBe(
    '{"id":"x","type":"GROUP_LEAVE_FAILURE","payload":{"errors":["not signed in"]}}',
  );
  expect(failure('CONN_KEEP_ALIVE_REQUEST', '', ['id: must not be empty'])).toBe(
    '{"id":"","type":"CONN_KEEP_ALIVE_FAILURE","payload":{}}',
  );
  expect(failure('A_REQUEST_REQUEST', 'x', ['type: unknown request'])).toContain(
    '"type":"A_REQUEST_FAILURE"',
  );
});

test('a frame without an answer of its own gets CONN_FRAME_FAILURE', () => {
  expect(frameFailure('', ['frame: must be JSON'])).toBe(
    '{"id":"","type":"CONN_FRAME_FAILURE","payload":{"errors":["frame: must be JSON"]}}',
  );
});

test('any id and any type that was taken comes back as valid JSON', () => {
  for (const text of ['"', '\\', '\0', '\ud800', '\u2028', '</script>']) {
    expect(JSON.parse(failure(`${text}_REQUEST`, text, []))).toEqual({
      id: text,
      type: `${text}_FAILURE`,
      payload: { errors: [] },
    });
  }
});

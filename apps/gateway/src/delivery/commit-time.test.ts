import { encodeFrame, messageDeliveryId } from '@hooligram/protocol';
import { expect, test } from '@jest/globals';
import { commitTimeOf } from './commit-time.ts';

const date = '2026-11-25T22:26:10.123Z';

function frame(content: string): string {
  return encodeFrame('MESSAGING_DELIVER_REQUEST', messageDeliveryId(7, 9), {
    content,
    date_created: date,
    group_id: 7,
    message_id: 9,
    sender_sid: '1.5550100',
  });
}

test.each([
  ['hello'],
  ['"date_created":"1999-01-01T00:00:00.000Z"'],
  ['\\"date_created\\":\\"'],
  ['\u{1f4ac} \ud800'],
])('the moment of a commit is read from a frame with the text %j, as text and as bytes', (content) => {
  expect(commitTimeOf(frame(content))).toBe(Date.parse(date));
  expect(commitTimeOf(new TextEncoder().encode(frame(content)))).toBe(Date.parse(date));
});

test('what has no date has none', () => {
  expect(commitTimeOf('{}')).toBeNaN();
  expect(commitTimeOf(new TextEncoder().encode('{"date_created":"x'))).toBeNaN();
});

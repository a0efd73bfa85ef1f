import { expect, test } from '@jest/globals';
import { decodePublication, encodeMessages, encodeTracedMessages } from './publications.ts';
import { UnreadableError } from './shape.ts';

const frames = ['a', 'two\nlines', 'Привет, 👋', ''].map((content) =>
  JSON.stringify({ payload: { content } }),
);
const decoded = (text: string) => {
  const publication = decodePublication(Buffer.from(text));
  if (publication?.type !== 'messages') throw new Error('no messages');
  const { messages } = publication;
  return { ...messages, frames: messages.frames.map((frame) => Buffer.from(frame).toString()) };
};

test('messages come out as they went in, one and several, whatever stands in their texts', () => {
  for (let count = 1; count <= frames.length; count += 1) {
    const messages = {
      group_id: 7,
      version: 3,
      seq: 41,
      message_ids: [101, 105, 106, 9_007_199_254_740_991].slice(0, count),
      frames: frames.slice(0, count),
    };
    expect(decoded(encodeMessages(messages))).toEqual(messages);
  }
});

test.each([
  'm\n{}',
  'm \n{}',
  'm 7 3 41\n{}',
  'm 7 3 41 \n{}',
  'm 7 3  101\n{}',
  'm 7 3 41 -1\n{}',
  'm 7 3 41 1.5\n{}',
  'm 7 3 41 x\n{}',
  'm 7 3 41 9007199254740992\n{}',
  `m 7 3 41 ${'9'.repeat(400)}\n{}`,
  'm 7 3 41 101\n{}\n{}',
  'M 7 3 41 101 102\n{}',
])('messages whose header is no list of counts, or does not fit them, are unreadable: %j', (text) => {
  expect(() => decodePublication(Buffer.from(text))).toThrow(UnreadableError);
});

test('a single message has the form that the release before knows, several have a type tag that it ignores', () => {
  const place = { group_id: 7, version: 3, seq: 41 };
  expect(encodeMessages({ ...place, message_ids: [101], frames: ['{}'] })).toBe('m 7 3 41 101\n{}');
  expect(encodeMessages({ ...place, message_ids: [101, 102], frames: ['{}', '[]'] })).toBe(
    'M 7 3 41 101 102\n{}\n[]',
  );
});

test('traces travel beside messages, whose publications are the same with and without them', () => {
  const traced = { traced: [[101, `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`]] as const };
  expect(decodePublication(Buffer.from(encodeTracedMessages(traced)))).toEqual({
    type: 'traced-messages',
    traced,
  });
});

test('an unknown type tag is ignored', () => {
  expect(decodePublication(Buffer.from('z 1 2 3\n{}'))).toBeUndefined();
  expect(decodePublication(Buffer.from(''))).toBeUndefined();
});

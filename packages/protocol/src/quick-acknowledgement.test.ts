import { describe, expect, test } from '@jest/globals';
import { decodeFrame } from './decode.ts';
import { readGroupAcknowledgement, readMessageAcknowledgement } from './quick-acknowledgement.ts';

const encode = (text: string) => new TextEncoder().encode(text);
/** In the middle of other bytes, as a frame that has waited is. */
function viewOf(bytes: Uint8Array): DataView {
  const around = new Uint8Array(bytes.length + 20).fill('9'.charCodeAt(0));
  around.set(bytes, 11);
  return new DataView(around.buffer, 11, bytes.length);
}
const read = (text: string) => readMessageAcknowledgement(viewOf(encode(text)));
const readGroup = (text: string) => readGroupAcknowledgement(viewOf(encode(text)));
const acknowledgement = (id: string, message_id: unknown) =>
  JSON.stringify({ id, type: 'MESSAGING_DELIVER_SUCCESS', payload: { message_id } });
const ofGroup = (id: string, group_id: unknown) =>
  JSON.stringify({ id, type: 'GROUP_DELIVER_SUCCESS', payload: { group_id } });

/** What `decodeFrame` says of the same text. */
function judged(text: string): number | undefined {
  const frame = decodeFrame(new TextEncoder().encode(text));
  return frame.kind === 'acknowledgement' && frame.type === 'MESSAGING_DELIVER_SUCCESS'
    ? frame.payload.message_id
    : undefined;
}

describe('an acknowledgement in the usual form', () => {
  const ids = ['', '1', 'a'.repeat(128), ' !#[]~', '{"'.slice(0, 1), '0b7e1d0c-3f0e-4c1b-9a52-6f1d1c0b0a99'];
  const messageIds = [1, 9, 10, 123_456, 999_999_999_999_999];
  test.each(ids.flatMap((id) => messageIds.map((messageId) => [id, messageId] as const)))(
    'with id %j is read: message %d',
    (id, messageId) => {
      expect(read(acknowledgement(id, messageId))).toBe(messageId);
      expect(judged(acknowledgement(id, messageId))).toBe(messageId);
      expect([readGroup(ofGroup(id, messageId)), read(ofGroup(id, messageId))]).toEqual([
        messageId,
        undefined,
      ]);
      expect(readGroup(acknowledgement(id, messageId))).toBeUndefined();
    },
  );
});

describe('everything else is left to the decoder', () => {
  const usual = acknowledgement('1', 12);
  test.each([
    '',
    '{',
    '{"id":"',
    acknowledgement('a'.repeat(129), 1),
    acknowledgement('é', 1),
    acknowledgement('"', 1),
    acknowledgement('\\', 1),
    acknowledgement('\u0001', 1),
    acknowledgement('1', 0),
    acknowledgement('1', -1),
    acknowledgement('1', 1.5),
    acknowledgement('1', '1'),
    acknowledgement('1', null),
    acknowledgement('1', 1e21),
    acknowledgement('1', 2 ** 53),
    usual.replace('12', '012'),
    usual.replace('12', ''),
    usual.replace('12', '1 2'),
    usual.replace('12', '12,"x":1'),
    usual.replace('SUCCESS', 'FAILURE'),
    usual.replace('MESSAGING', 'GROUP'),
    ` ${usual}`,
    `${usual} `,
    `${usual}}`,
    usual.slice(0, -1),
    JSON.stringify({ type: 'MESSAGING_DELIVER_SUCCESS', id: '1', payload: { message_id: 12 } }),
  ])('%s', (text) => {
    expect(read(text)).toBeUndefined();
  });
});

test.each([
  ['MESSAGING_DELIVER_SUCCESS', 'message_id', acknowledgement('ab', 407), readMessageAcknowledgement],
  ['GROUP_DELIVER_SUCCESS', 'group_id', ofGroup('ab', 407), readGroupAcknowledgement],
] as const)(
  'a %s with any one byte changed is read as the decoder reads it, or not at all',
  (type, field, text, readBytes) => {
    const bytes = encode(text);
    for (const at of bytes.keys()) {
      for (let byte = 0; byte < 256; byte += 1) {
        const changed = bytes.slice();
        changed[at] = byte;
        const found = readBytes(viewOf(changed));
        if (found === undefined) continue;
        expect(decodeFrame(changed)).toMatchObject({ type, payload: { [field]: found } });
      }
    }
  },
);

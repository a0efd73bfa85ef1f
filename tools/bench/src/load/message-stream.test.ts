import { expect, test } from '@jest/globals';
import { LoadClient } from './client.ts';
import { codecs } from './codec.ts';
import { MessageStream } from './message-stream.ts';

const nothing = { onMessage() {}, onGroup() {}, onFault() {} };
const user = (sid: string) => new LoadClient(sid, 'ws://127.0.0.1/v2', codecs.hooligram, '', nothing);

/** Three users, and messages 0, 1 and 2 sent at 10, 20 and 30 ms. */
function fixture() {
  const [sender, reader, stranger] = [user('1.5550001'), user('1.5550002'), user('1.5550003')];
  const stream = new MessageStream(7, [sender, reader]);
  for (const sentAt of [10, 20, 30]) stream.send(sentAt, () => {});
  return { stream, sender, reader, stranger };
}

test('a delivery in order returns when the message was sent, to each member', () => {
  const { stream, sender, reader } = fixture();
  expect([0, 1, 2].map((number) => stream.receive(reader, number))).toEqual([10, 20, 30]);
  expect([0, 1, 2].map((number) => stream.receive(sender, number))).toEqual([10, 20, 30]);
});

test('a lost delivery is found by the next one', () => {
  const { stream, reader } = fixture();
  stream.receive(reader, 0);
  expect(stream.receive(reader, 2)).toBe('1.5550002 was sent message 2 of group 7, after 0');
});

test('a doubled delivery is found', () => {
  const { stream, reader } = fixture();
  stream.receive(reader, 0);
  expect(stream.receive(reader, 0)).toBe('1.5550002 was sent message 0 of group 7, after 0');
});

test('deliveries that change places are found', () => {
  const { stream, reader } = fixture();
  expect(stream.receive(reader, 1)).toBe('1.5550002 was sent message 1 of group 7, after -1');
});

test("a delivery to a user who is no member is found, also among members' deliveries", () => {
  const { stream, reader, stranger } = fixture();
  stream.receive(reader, 0);
  expect(stream.receive(stranger, 0)).toBe('1.5550003 was sent a message of group 7, not theirs');
});

test('a message that was never sent is found', () => {
  const { stream, reader } = fixture();
  for (const number of [0, 1, 2]) stream.receive(reader, number);
  expect(stream.receive(reader, 3)).toBe('message 3 of group 7 was never sent');
});

test('where users come and go, a delivery may come again, and none may be left out', () => {
  const { stream, reader } = fixture();
  stream.mayRepeat = true;
  stream.receive(reader, 0);
  stream.receive(reader, 1);
  expect([0, 1, 2].map((number) => stream.receive(reader, number))).toEqual([undefined, undefined, 30]);
  expect(stream.receive(reader, 4)).toBe('1.5550002 was sent message 4 of group 7, after 2');
});

import { expect, test } from '@jest/globals';
import { LoadClient } from './client.ts';
import { Conversation } from './conversation.ts';
import { speeches } from './speech.ts';

const nothing = { onMessage() {}, onGroup() {}, onFault() {} };
const person = (sid: string) => new LoadClient(sid, 'ws://127.0.0.1/v2', speeches.hooligram, '', nothing);

/** Three people, and messages 0, 1 and 2 sent at 10, 20 and 30 ms. */
function scene() {
  const [sender, reader, stranger] = [person('1.5550001'), person('1.5550002'), person('1.5550003')];
  const conversation = new Conversation(7, [sender, reader]);
  for (const sentAt of [10, 20, 30]) conversation.send(sentAt, () => {});
  return { conversation, sender, reader, stranger };
}

test('a delivery in its turn tells when the message was sent, to each member', () => {
  const { conversation, sender, reader } = scene();
  expect([0, 1, 2].map((number) => conversation.receive(reader, number))).toEqual([10, 20, 30]);
  expect([0, 1, 2].map((number) => conversation.receive(sender, number))).toEqual([10, 20, 30]);
});

test('a lost delivery is found by the next one', () => {
  const { conversation, reader } = scene();
  conversation.receive(reader, 0);
  expect(conversation.receive(reader, 2)).toBe('1.5550002 was sent message 2 of group 7, after 0');
});

test('a doubled delivery is found', () => {
  const { conversation, reader } = scene();
  conversation.receive(reader, 0);
  expect(conversation.receive(reader, 0)).toBe('1.5550002 was sent message 0 of group 7, after 0');
});

test('deliveries that change places are found', () => {
  const { conversation, reader } = scene();
  expect(conversation.receive(reader, 1)).toBe('1.5550002 was sent message 1 of group 7, after -1');
});

test("a delivery to somebody who is no member is found, also among members' deliveries", () => {
  const { conversation, reader, stranger } = scene();
  conversation.receive(reader, 0);
  expect(conversation.receive(stranger, 0)).toBe('1.5550003 was sent a message of group 7, not theirs');
});

test('a message that nobody sent is found', () => {
  const { conversation, reader } = scene();
  for (const number of [0, 1, 2]) conversation.receive(reader, number);
  expect(conversation.receive(reader, 3)).toBe('message 3 of group 7 was never sent');
});

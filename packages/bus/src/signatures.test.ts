import { freshPrefix, redisUrl, within } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { connectRedis } from './connection.ts';
import { decodeEntry, isUnreadable } from './entry.ts';
import { createNames } from './names.ts';
import { createRequestWriter } from './request-writer.ts';
import { createSignatures, Signatures, signingKeys } from './signatures.ts';
import { Subscriptions } from './subscriptions.ts';

const silent = { info() {}, warn() {}, error() {} };
const quiet = { failed() {}, works() {} };
const [first, second, other] = ['1', '2', '3'].map((digit) => digit.repeat(32)) as [string, string, string];
const names = createNames(freshPrefix());

let url: string;
let signing: Redis;
let plain: Redis;
let subscriber: Redis;
beforeAll(async () => {
  url = await redisUrl();
  const connect = (role: 'command' | 'subscriber', signatures?: Signatures) =>
    connectRedis(url, { role, name: 'test', log: silent, signatures });
  signing = await connect('command', new Signatures([first]));
  [plain, subscriber] = await Promise.all([connect('command'), connect('subscriber')]);
});
afterAll(() => {
  for (const redis of [signing, plain, subscriber]) redis?.disconnect();
});

/** @returns what a receiver with these keys makes of it, as text */
function received(by: Signatures, channel: string, sent: string | Buffer): string | undefined {
  return by.openPublication(channel, Buffer.from(sent))?.toString();
}

test('what is signed is taken on its own channel, as text and as bytes, and nowhere else', () => {
  const signatures = new Signatures([first]);
  for (const publication of ['[{"ref":1}]', '', 'ä€', Buffer.from([0, 255, 10, 128])]) {
    const signed = signatures.signPublication('one', publication);
    expect(signatures.openPublication('one', Buffer.from(signed))).toEqual(Buffer.from(publication));
    expect(received(signatures, 'two', signed)).toBeUndefined();
  }
});

test('what was not signed, signed with another key, or changed by one bit is refused', () => {
  const signatures = new Signatures([first]);
  const signed = Buffer.from(signatures.signPublication('one', 'm 1 2 3 4\n{}'));
  for (let index = 0; index < signed.length; index += 1) {
    const changed = Buffer.from(signed);
    changed[index] = (changed[index] as number) ^ 1;
    expect(received(signatures, 'one', changed)).toBeUndefined();
    expect(received(signatures, 'one', signed.subarray(0, index))).toBeUndefined();
  }
  expect(received(signatures, 'one', 'm 1 2 3 4\n{}')).toBeUndefined();
  expect(
    received(signatures, 'one', new Signatures([other]).signPublication('one', 'm 1 2 3 4\n{}')),
  ).toBeUndefined();
});

test('each step from no key to a second one understands the step before and the one after', async () => {
  const steps = [
    undefined,
    ['unsigned', first],
    [first, 'unsigned'],
    [first],
    [first, second],
    [second, first],
    [second],
  ].map(createSignatures);
  for (const [index, here] of steps.entries()) {
    for (const there of steps.slice(Math.max(index - 1, 0), index + 2)) {
      const sent = here ? here.signPublication('one', 'text') : 'text';
      expect(there ? received(there, 'one', sent) : sent).toBe('text');
      const entry = await entryOf(here);
      expect(isUnreadable(decodeEntry('1-1', entry, { stream: names.requests, signatures: there }))).toBe(
        false,
      );
    }
  }
  expect(
    received(steps[6] as Signatures, 'one', new Signatures([first]).signPublication('one', 'text')),
  ).toBe(undefined);
});

/** @returns the fields of an entry, as a gateway with these keys writes it */
async function entryOf(signatures: Signatures | undefined): Promise<string[]> {
  const written = new Promise<void>((resolve, reject) => {
    const writer = createRequestWriter<object>({
      redis: plain,
      clock: { now: () => 0, read: async () => 0, close() {} },
      names,
      node: 'node',
      deadlineMs: 1,
      requestsMax: 1,
      entriesMax: 100,
      bytesMax: 1_000_000,
      onFailed: (_requests, failure) => reject(new Error(failure)),
      onRoundTrip: () => resolve(),
      signatures,
    });
    writer.add({ ref: 1, text: 'ä€' });
  });
  await within('for the write', written);
  const [newest] = await plain.xrevrange(names.requests, '+', '-', 'COUNT', 1);
  return newest?.[1] ?? [];
}

test('an entry is refused unread when any part of it was changed, left out, or is of another stream', async () => {
  const signatures = new Signatures([first]);
  const check = { stream: names.requests, signatures };
  const entry = await entryOf(signatures);
  expect(decodeEntry('1-1', entry, check)).toMatchObject({ requests: [{ ref: 1, text: 'ä€' }] });
  const reasonOf = (fields: string[], by = check) => {
    const read = decodeEntry('1-1', fields, by);
    return isUnreadable(read) ? read.is : 'readable';
  };
  expect(reasonOf(entry, { ...check, stream: 'another' })).toBe('unsigned');
  expect(reasonOf(entry.slice(0, -2))).toBe('unsigned');
  // Its layout is looked at first: one that is not known here is left to another core.
  for (let index = 2; index < entry.length; index += 1) {
    expect(reasonOf(entry.with(index, `${entry[index]}0`))).toBe('unsigned');
  }
  expect(reasonOf([...entry, 'node', 'another'])).toBe('unsigned');
  expect(reasonOf(['v', '1', 'requests', '{'])).toBe('unsigned');
});

test('all that a signing connection publishes is taken, also in a pipeline, and what others publish is refused', async () => {
  const [channel, end] = [names.group(1), names.group(2)];
  const taken: string[] = [];
  const refused: string[] = [];
  const isOver = new Promise<void>((resolve) => {
    const subscriptions = new Subscriptions({
      redis: subscriber,
      part: quiet,
      onPublication: (name, bytes) => (name === end ? resolve() : taken.push(bytes.toString())),
      onResubscribed() {},
      signing: { signatures: new Signatures([first]), onRefused: (name) => refused.push(name) },
    });
    void Promise.all([subscriptions.acquire(channel), subscriptions.acquire(end)]).then(async () => {
      await signing.publish(channel, 'alone');
      await plain.publish(channel, 'forged');
      const pipeline = signing.pipeline();
      pipeline.publish(channel, 'in a pipeline').publish(channel, Buffer.from('bytes')).publish(end, '');
      await pipeline.exec();
    });
  });
  await within('for the last publication', isOver);
  expect(taken).toEqual(['alone', 'in a pipeline', 'bytes']);
  expect(refused).toEqual([channel]);
});

test('keys that are too short, and a list without a key, are refused', () => {
  const variable = signingKeys();
  expect(variable.parse(` ${first} ,unsigned`)).toEqual([first, 'unsigned']);
  for (const text of ['', 'short', 'unsigned', `${first},`, `${first},short`]) {
    expect(() => variable.parse(text)).toThrow('must be keys of at least 32 characters');
  }
});

import { once } from 'node:events';
import { freshPrefix, redisUrl } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { CommandBatch } from './command-batch.ts';
import { connectRedis } from './connection.ts';
import { reasonOf, wasNeverSent } from './refusal.ts';
import { Signatures } from './signatures.ts';

const silent = { info() {}, warn() {}, error() {} };
const signatures = new Signatures(['a key of at least thirty-two characters']);

let redis: Redis;
let signing: Redis;
let subscriber: Redis;
beforeAll(async () => {
  const url = await redisUrl();
  const connect = (role: 'command' | 'subscriber', by?: Signatures) =>
    connectRedis(url, { role, name: 'test', log: silent, signatures: by });
  redis = await connect('command');
  signing = await connect('command', signatures);
  subscriber = await connect('subscriber');
});
afterAll(() => {
  for (const each of [redis, signing, subscriber]) each?.disconnect();
});

/** @returns what arrived on a channel of what was sent meanwhile */
async function arrived(channel: string, send: () => Promise<unknown>): Promise<Buffer[]> {
  const publications: Buffer[] = [];
  const ended = new Promise<void>((resolve) => {
    subscriber.on('messageBuffer', (_, bytes: Buffer) => {
      if (bytes.toString() === 'end') resolve();
      else publications.push(bytes);
    });
  });
  await subscriber.subscribe(channel);
  await send();
  await redis.publish(channel, 'end');
  await ended;
  subscriber.removeAllListeners('messageBuffer');
  await subscriber.unsubscribe();
  return publications;
}

test('commands run in their order, between what was sent before and after, each with its own answer', async () => {
  const key = freshPrefix();
  const words = Array.from({ length: 100 }, (_, index) => `é ${index}`);
  const batch = new CommandBatch(redis);
  for (const word of words) batch.add('RPUSH', key, word);
  const answers = await Promise.all([redis.rpush(key, 'before'), batch.send(), redis.rpush(key, 'after')]);
  expect(answers).toEqual([1, undefined, 102]);
  expect(await redis.lrange(key, 0, -1)).toEqual(['before', ...words, 'after']);
});

test('the first command that Redis refuses is told with its place, and those behind it run', async () => {
  const key = freshPrefix();
  const batch = new CommandBatch(redis);
  batch.add('SET', key, 'text');
  batch.add('RPUSH', key, 'more');
  batch.add('NO-SUCH-COMMAND');
  batch.add('APPEND', key, ' and more');
  const failure = await batch.send();
  expect(failure?.index).toBe(1);
  expect(failure?.error.message).toMatch(/^WRONGTYPE/);
  expect(await redis.get(key)).toBe('text and more');
});

test('what is asked leaves behind all else and has its own answer, and its failure is none of the batch', async () => {
  const key = freshPrefix();
  const batch = new CommandBatch(redis);
  const answers: unknown[] = [];
  const note = (error: Error | undefined, answer: unknown) =>
    void answers.push(error ? error.message.split(' ')[0] : String(answer));
  batch.ask(['GET', key], note);
  batch.ask(['RPUSH', key, 'more'], note);
  batch.ask(['APPEND', key, ' and more'], note);
  batch.add('SET', key, 'text');
  expect(await batch.send()).toBeUndefined();
  expect(answers).toEqual(['text', 'WRONGTYPE', '13']);
});

test('publications arrive as they were, as text, as bytes and longer than a mebibyte, signed if the connection signs', async () => {
  const channel = freshPrefix();
  const bytes = Buffer.from([0, 255, 10, 13, 128]);
  const publications = ['é'.repeat(700_000), bytes, 'text', '', bytes, 'é'.repeat(700_000)];
  const sentOn = (connection: Redis) =>
    arrived(channel, () => {
      const batch = new CommandBatch(connection);
      for (const publication of publications) batch.publish(channel, publication);
      return batch.send().then((failure) => expect(failure).toBeUndefined());
    });
  const expected = publications.map((publication) => Buffer.from(publication));
  expect((await sentOn(redis)).every((one, index) => expected[index]?.equals(one))).toBe(true);
  const signed = await sentOn(signing);
  const opened = signed.map((one) => signatures.openPublication(channel, one));
  expect(opened).toHaveLength(expected.length);
  expect(opened.every((one, index) => one && expected[index]?.equals(one))).toBe(true);
});

test('a batch whose connection breaks fails from the first command on that was not answered, and is not sent again', async () => {
  const key = freshPrefix();
  const batch = new CommandBatch(redis);
  batch.add('RPUSH', key, 'before');
  batch.add('QUIT');
  batch.add('RPUSH', key, 'after');
  const [failure] = await Promise.all([batch.send(), once(redis, 'ready')]);
  expect(failure?.index).toBe(2);
  expect(reasonOf(failure?.error)).toBe('the connection to Redis broke before the answer');
  expect(await redis.lrange(key, 0, -1)).toEqual(['before']);
});

test('a batch that meets no connection fails at once, and nothing of it leaves', async () => {
  const key = freshPrefix();
  redis.disconnect(true);
  const batch = new CommandBatch(redis);
  batch.add('RPUSH', key, 'never');
  batch.add('RPUSH', key, 'never');
  const asked: (Error | undefined)[] = [];
  batch.ask(['RPUSH', key, 'never'], (error) => void asked.push(error));
  const failure = await batch.send();
  expect(failure?.index).toBe(0);
  expect(wasNeverSent(failure?.error)).toBe(true);
  expect(asked.map(wasNeverSent)).toEqual([true]);
  await once(redis, 'ready');
  expect(await redis.exists(key)).toBe(0);
});

test('an empty batch has nothing to wait for', async () => {
  expect(await new CommandBatch(redis).send()).toBeUndefined();
});

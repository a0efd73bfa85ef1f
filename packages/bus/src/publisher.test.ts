import { freshPrefix, type OwnRedis, ownRedis, redisUrl, until } from '@hooligram/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { connectRedis } from './connection.ts';
import { EncodedJson } from './encoded-json.ts';
import { createNames } from './names.ts';
import { PieceCollector, PieceCutter } from './pieces.ts';
import { Publisher } from './publisher.ts';

const silent = { info() {}, warn() {}, error() {} };
const publicationBytesMax = 1_000;

let redis: Redis;
let subscriber: Redis;
beforeAll(async () => {
  const url = await redisUrl();
  redis = await connectRedis(url, { role: 'command', name: 'test', log: silent });
  subscriber = await connectRedis(url, { role: 'subscriber', name: 'test', log: silent });
});
afterAll(() => {
  subscriber.disconnect();
  redis.disconnect();
});

/** Publishes these answers in one tick. @returns what arrives of them, and the size of each publication */
async function answer(
  answers: readonly object[],
  behind: readonly object[] = [],
  bytesMax = publicationBytesMax,
) {
  const names = createNames(freshPrefix());
  const publisher = new Publisher({
    redis,
    names,
    refuse: () => ({ refused: true }),
    log: silent,
    publicationBytesMax: bytesMax,
  });
  const sizes: number[] = [];
  const received: object[] = [];
  const pieces = new PieceCollector();
  const end = new Promise<void>((resolve) => {
    subscriber.on('messageBuffer', (channel: Buffer, bytes: Buffer) => {
      if (channel.toString() === 'end') return resolve();
      sizes.push(bytes.length);
      const whole = pieces.receive(bytes);
      if (whole) received.push(...(JSON.parse(whole.toString()) as object[]));
    });
  });
  await subscriber.subscribe(names.gateway('node'), 'end');
  for (const one of behind) publisher.answerBehind('node', one, '1-1');
  for (const one of answers) publisher.answer('node', one);
  await publisher.flushed();
  await redis.publish('end', '');
  await end;
  subscriber.removeAllListeners('messageBuffer');
  await subscriber.unsubscribe();
  return { received, sizes };
}

/** What leaves on the connection from now on. */
function watchWrites() {
  const texts: string[] = [];
  const { stream } = redis;
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  stream.write = (...args: unknown[]) => {
    texts.push(String(args[0]));
    return write(...args);
  };
  const stop = () => {
    stream.write = write as typeof stream.write;
  };
  return { texts, stop };
}

/** The words of each command: https://redis.io/docs/latest/develop/reference/protocol-spec/ */
function commandsIn(texts: readonly string[]): string[][] {
  const [, ...commands] = texts.join('').split(/^\*\d+\r\n/m);
  // A length comes before each word.
  return commands.map((command) => command.split('\r\n').filter((_, place) => place % 2 === 1));
}

test('an answer that cannot be encoded is refused, and all others arrive', async () => {
  const tooLong = {
    toJSON() {
      throw new RangeError('Invalid string length');
    },
  };
  const { received } = await answer([{ ref: 1 }, tooLong, { ref: 3 }]);
  expect(received).toEqual([{ ref: 1 }, { refused: true }, { ref: 3 }]);
});

test('an answer of 16 MiB arrives, and of two that are a byte larger each is refused by itself, however few characters they have', async () => {
  const largest = 16 * 1_024 * 1_024;
  const room = largest - JSON.stringify({ ref: 1, text: '' }).length;
  const text = `x${'é'.repeat((room - 1) / 2)}`;
  const larger = { ref: 1, text: `${text}x` };
  expect(Buffer.byteLength(JSON.stringify(larger))).toBe(largest + 1);
  const answers = [larger, { ref: 2 }, { ref: 1, text }, larger, { ref: 3 }];
  const { received } = await answer(answers, [], 256 * 1_024);
  const of = received as { readonly text?: string }[];
  expect(of.map((one) => (one.text === undefined ? one : one.text === text))).toEqual([
    { refused: true },
    { ref: 2 },
    true,
    { refused: true },
    { ref: 3 },
  ]);
});

test('the answers of a tick leave in publications of a bounded size, in their order', async () => {
  const answers = Array.from({ length: 100 }, (_, ref) => ({ ref, text: 'x'.repeat(ref * 7) }));
  const { received, sizes } = await answer(answers);
  expect(received).toEqual(answers);
  // The list's brackets and commas come on top.
  expect(Math.max(...sizes)).toBeLessThan(publicationBytesMax + 100);
  expect(sizes.length).toBeLessThan(answers.length);
});

test('an answer that is larger than a publication arrives, in pieces of a bounded size', async () => {
  const large = { ref: 2, text: 'é'.repeat(10_000) };
  const { received, sizes } = await answer([{ ref: 1 }, large, { ref: 3 }]);
  expect(received).toEqual([{ ref: 1 }, large, { ref: 3 }]);
  expect(Math.max(...sizes)).toBeLessThan(publicationBytesMax + 100);
});

test('an answer that is JSON already arrives as it is, with all that stands beside it, also in pieces', async () => {
  const body = { states: ['é'.repeat(1_000), '"}'], looked: 2 };
  const encoded = new EncodedJson(JSON.stringify(body));
  const heads = [
    { ref: 1, ok: true },
    { ref: 2, epoch: 3, ok: true },
  ];
  const { received } = await answer(
    [],
    heads.map((head) => ({ ...head, answer: encoded })),
  );
  expect(received).toEqual(heads.map((head) => ({ ...head, answer: body })));
});

test('what may be large leaves behind all other answers of its tick, a slice in each tick, and in its order', async () => {
  const large = Array.from({ length: 10 }, (_, ref) => ({ ref, text: 'x'.repeat(100_000) }));
  const writes = watchWrites();
  const { received } = await answer([{ ref: 100 }], large);
  writes.stop();
  expect(received).toEqual([{ ref: 100 }, ...large]);
  expect(writes.texts.filter((text) => text.includes('ref'))).toHaveLength(5);
});

test('an entry is acknowledged behind its own large answers, and waits for those of no other', async () => {
  const names = createNames(freshPrefix());
  const common = { redis, names, log: silent };
  const publisher = new Publisher({ ...common, refuse: () => ({}) });
  for (const ref of [1, 2]) publisher.answerBehind('node', { ref, text: 'x'.repeat(200_000) }, '1-1');
  publisher.finish('1-1');
  publisher.finish('2-1');
  // Until they leave, this process has them in hand.
  expect(publisher.leaving()).toEqual(['1-1', '2-1']);
  const writes = watchWrites();
  await publisher.flushed();
  writes.stop();
  const commands = commandsIn(writes.texts);
  const acknowledges = (id: string) =>
    commands.findIndex(([name, ...words]) => name === 'XACK' && words.includes(id));
  expect(commands.filter(([name]) => name === 'PUBLISH')).toHaveLength(2);
  expect(acknowledges('1-1')).toBeGreaterThan(commands.findLastIndex(([name]) => name === 'PUBLISH'));
  expect(acknowledges('2-1')).toBeGreaterThan(0);
  expect(acknowledges('2-1')).toBeLessThanOrEqual(acknowledges('1-1'));
  expect(publisher.leaving()).toEqual([]);
});

test('an entry that is finished alone leaves in one write with what is published and asked next', async () => {
  const names = createNames(freshPrefix());
  const stream = names.requests;
  const common = { redis, names, log: silent };
  const publisher = new Publisher({ ...common, refuse: () => ({}), leaveWithinMs: 3_600_000 });
  const writes = watchWrites();
  publisher.finish('1-1');
  await new Promise((resolve) => setImmediate(resolve));
  expect([writes.texts, publisher.leaving()]).toEqual([[], ['1-1']]);
  const asked = publisher.ask([
    ['SET', stream, 'text'],
    ['GET', stream],
  ]);
  publisher.publish('channel', 'published');
  expect((await asked).map(String)).toEqual(['OK', 'text']);
  writes.stop();
  expect(writes.texts).toHaveLength(1);
  const commands = writes.texts.join('').match(/^(PUBLISH|XDEL|XACK|SET|GET)(?=\r$)/gm);
  expect(commands).toEqual(['PUBLISH', 'XDEL', 'XACK', 'SET', 'GET']);
  await publisher.flushed();
  expect(publisher.leaving()).toEqual([]);
});

test('an entry that is finished while nothing else leaves is acknowledged a moment later all the same', async () => {
  const names = createNames(freshPrefix());
  const [stream, group] = [names.requests, names.cores];
  const common = { redis, names, log: silent };
  const publisher = new Publisher({ ...common, refuse: () => ({}) });
  await redis.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
  const id = (await redis.xadd(stream, '*', 'a', '1')) as string;
  await redis.xreadgroup('GROUP', group, 'core', 'STREAMS', stream, '>');
  publisher.finish(id);
  await until('it has left', async () => (await redis.xlen(stream)) === 0);
  expect(((await redis.xpending(stream, group)) as unknown[])[0]).toBe(0);
});

test('what is asked fails with the first error of its commands, and nothing that was published fails with it', async () => {
  const names = createNames(freshPrefix());
  const stream = names.requests;
  const common = { redis, names, log: silent };
  const publisher = new Publisher({ ...common, refuse: () => ({}) });
  publisher.publish('channel', 'published');
  const refused = publisher.ask([
    ['SET', stream, 'text'],
    ['RPUSH', stream, 'more'],
    ['GET', stream],
  ]);
  await expect(refused).rejects.toThrow(/^WRONGTYPE/);
  await publisher.flushed();
  expect(publisher.failures()).toBe(0);
});

test('an entry stays pending that is finished when something that was sent before may not have arrived', async () => {
  const names = createNames(freshPrefix());
  const [stream, group] = [names.requests, names.cores];
  const own = await connectRedis(await redisUrl(), { role: 'command', name: 'publishes', log: silent });
  const common = { redis: own, names, log: silent };
  const publisher = new Publisher({ ...common, refuse: () => ({}) });
  await redis.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
  const ids = [await redis.xadd(stream, '*', 'a', '1'), await redis.xadd(stream, '*', 'a', '2')] as string[];
  await redis.xreadgroup('GROUP', group, 'core', 'STREAMS', stream, '>');
  const since = publisher.failures();
  own.disconnect(true);
  publisher.publish('channel', 'lost');
  await publisher.flushed();
  await own.ping().catch(() => new Promise((resolve) => own.once('ready', resolve)));
  publisher.finish(ids[0] as string, since);
  publisher.finish(ids[1] as string, publisher.failures());
  await publisher.flushed();
  expect(((await redis.xpending(stream, group)) as unknown[]).slice(0, 2)).toEqual([1, ids[0]]);
  own.disconnect();
});

describe('a refusal', () => {
  test('is noted with its entry, until nobody begins that any more', async () => {
    const names = createNames(freshPrefix());
    const publisher = new Publisher({ redis, names, log: silent, refuse: () => ({}) });
    const keptMs = 60_000;
    for (const [entryId, requestId] of [
      ['1-1', 'a'],
      ['1-1', 'b'],
      ['2-1', 'c'],
    ] as const)
      publisher.refuse('node', { ref: 1 }, { entryId, requestId, keptMs });
    await publisher.flushed();
    expect((await redis.smembers(names.refused('1-1'))).sort()).toEqual(['a', 'b']);
    expect(await redis.smembers(names.refused('2-1'))).toEqual(['c']);
    expect(await redis.pttl(names.refused('1-1'))).toBeGreaterThan(0);
  });

  test('is not published by a Redis that takes no writes, and its entry stays', async () => {
    const names = createNames(freshPrefix());
    const own = await ownRedis();
    const connect = (role: 'command' | 'subscriber') =>
      connectRedis(own.url, { role, name: 'test', log: silent });
    const [admin, publishing, listening] = await Promise.all([
      connect('command'),
      connect('command'),
      connect('subscriber'),
    ]);
    await admin.xgroup('CREATE', names.requests, names.cores, '0', 'MKSTREAM');
    const entryId = (await admin.xadd(names.requests, '*', 'a', '1')) as string;
    await admin.xreadgroup('GROUP', names.cores, 'core', 'STREAMS', names.requests, '>');
    const received: string[] = [];
    const end = new Promise<void>((resolve) => {
      listening.on('messageBuffer', (_: Buffer, bytes: Buffer) => {
        if (received.push(bytes.toString()) && received.at(-1) === 'end') resolve();
      });
    });
    await listening.subscribe(names.gateway('node'));
    const common = { redis: publishing, names, log: silent };
    const publisher = new Publisher({ ...common, refuse: () => ({}), leaveWithinMs: 3_600_000 });
    await admin.config('SET', 'min-replicas-to-write', '1');
    const since = publisher.failures();
    publisher.answer('node', { ref: 1 });
    publisher.refuse('node', { ref: 2 }, { entryId, requestId: 'a', keptMs: 60_000 });
    publisher.finish(entryId, since);
    await publisher.published();
    // It takes writes again before the entry could leave: else it would stay because that is refused.
    await admin.config('SET', 'min-replicas-to-write', '0');
    await publisher.flushed();
    await admin.publish(names.gateway('node'), 'end');
    await end;
    expect(received).toEqual(['[{"ref":1}]', 'end']);
    expect(await admin.xpending(names.requests, names.cores)).toContain(1);
    for (const each of [admin, publishing, listening]) each.disconnect();
    await own.stop();
  });
});

describe('what Redis refuses alone', () => {
  const names = createNames(freshPrefix());
  const [stream, group] = [names.requests, names.cores];
  const allowed = names.group(1);
  let own: OwnRedis;
  let admin: Redis;
  let bounded: Redis;
  beforeAll(async () => {
    own = await ownRedis();
    const { url } = own;
    admin = await connectRedis(url, { role: 'command', name: 'looks', log: silent });
    await admin.call(
      'ACL',
      'SETUSER',
      'core',
      'on',
      '>secret',
      '+@all',
      'allkeys',
      'resetchannels',
      `&${allowed}`,
    );
    await admin.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
    const as = url.replace('redis://', 'redis://core:secret@');
    bounded = await connectRedis(as, { role: 'command', name: 'publishes', log: silent });
  });
  afterAll(async () => {
    for (const each of [admin, bounded]) each?.disconnect();
    await own?.stop();
  });

  /** Takes so many entries, and publishes. @returns the publisher, the entries, and which of those stay */
  async function take(count: number) {
    const common = { redis: bounded, names, log: silent };
    const publisher = new Publisher({ ...common, refuse: () => ({}) });
    const add = async () => (await admin.xadd(stream, '*', 'a', '1')) as string;
    const ids = await Promise.all(Array.from({ length: count }, add));
    await admin.xreadgroup('GROUP', group, 'core', 'STREAMS', stream, '>');
    const pending = async () => {
      const all = (await admin.xpending(stream, group, '-', '+', 100)) as [id: string][];
      return all.map(([id]) => id).filter((id) => ids.includes(id));
    };
    return { publisher, ids: ids as [string, ...string[]], pending };
  }

  /** Does one after the other, each in a tick of its own, and reads what Redis answers only then. */
  async function unread(...steps: readonly (() => void)[]) {
    bounded.stream.pause();
    for (const step of steps) {
      step();
      await new Promise((resolve) => setImmediate(resolve));
    }
    bounded.stream.resume();
  }

  test('an entry whose publication is refused stays pending, and so does what shared its batch', async () => {
    const { publisher, ids, pending } = await take(3);
    publisher.publish(allowed, 'arrives');
    publisher.publish(names.group(2), 'is refused');
    for (const id of ids.slice(0, 2)) publisher.finish(id);
    await publisher.flushed();
    publisher.publish(allowed, 'arrives');
    publisher.finish(ids[2] as string);
    await publisher.flushed();
    expect(await pending()).toEqual(ids.slice(0, 2));
    expect(publisher.failures()).toBe(1);
  });

  test('an entry whose answer is refused stays pending', async () => {
    const { publisher, ids, pending } = await take(1);
    publisher.answer('node', { ref: 1 });
    publisher.finish(ids[0]);
    await publisher.flushed();
    expect(await pending()).toEqual(ids);
  });

  test('an entry that is finished while the refusal of its publication is on its way stays pending', async () => {
    const { publisher, ids, pending } = await take(1);
    await unread(
      () => publisher.publish(names.group(2), 'is refused'),
      () => publisher.finish(ids[0]),
    );
    await publisher.flushed();
    expect(await pending()).toEqual(ids);
  });

  test('an entry that is finished in a later tick than its refusal, which Redis refuses, stays pending, alone', async () => {
    const { publisher, ids, pending } = await take(2);
    await unread(
      () => publisher.refuse('node', { ref: 1 }, { entryId: ids[0], requestId: 'a', keptMs: 60_000 }),
      () => {
        for (const id of ids) publisher.finish(id);
      },
    );
    await publisher.flushed();
    expect(await pending()).toEqual(ids.slice(0, 1));
    expect(publisher.failures()).toBe(0);
  });

  test('who waits for large answers waits for all of them, when entries behind them are kept meanwhile', async () => {
    const { publisher, ids } = await take(1);
    let encoded = 0;
    const large = {
      toJSON() {
        encoded += 1;
        return 'x'.repeat(200_000);
      },
    };
    const answers = 50;
    for (let ref = 0; ref < answers; ref += 1) publisher.answerBehind('node', large, ids[0]);
    const flushed = publisher.flushed();
    publisher.finish(ids[0]);
    await flushed;
    expect(encoded).toBe(answers);
  });
});

test('entries whose publications have arrived leave by themselves, with one command of each kind', async () => {
  const names = createNames(freshPrefix());
  const [stream, group] = [names.requests, names.cores];
  const publisher = new Publisher({
    redis,
    names,
    log: silent,
    refuse: () => ({}),
  });
  const writes = watchWrites();
  publisher.publish('channel', 'first');
  for (const id of ['1-1', '2-1']) publisher.finish(id);
  await until('they leave', () => writes.texts.some((text) => text.includes('XACK')));
  writes.stop();
  expect(writes.texts).toHaveLength(2);
  expect(commandsIn(writes.texts)).toEqual([
    ['PUBLISH', 'channel', 'first'],
    ['XDEL', stream, '1-1', '2-1'],
    ['XACK', stream, group, '1-1', '2-1'],
  ]);
});

test('of a text that misses a piece nothing is passed on, and the next one of the same sender is', () => {
  const [cutter, other] = [new PieceCutter(4), new PieceCutter(4)];
  const pieces = new PieceCollector();
  const receive = (some: readonly (Buffer | undefined)[]) =>
    some.map((piece) => piece && pieces.receive(piece)?.toString());
  const [first, , third] = cutter.cut('0123456789');
  const [begun, ended] = other.cut('abcdefg');
  expect(receive([begun, first, third])).toEqual([undefined, undefined, undefined]);
  expect(receive(cutter.cut('next text'))).toEqual([undefined, undefined, 'next text']);
  expect(receive([ended])).toEqual(['abcdefg']);
});

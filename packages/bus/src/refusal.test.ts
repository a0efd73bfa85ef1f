import { randomUUID } from 'node:crypto';
import { freshPrefix, redisUrl } from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { connectRedis, copyForWorkers, mayReadInfo } from './connection.ts';
import { type Echo, startEcho } from './echo.ts';
import { createNames } from './names.ts';
import { isRedisOutage, refusalOf } from './refusal.ts';
import { startRequestReader } from './request-reader.ts';
import { createRequestWriter } from './request-writer.ts';
import { Subscriptions } from './subscriptions.ts';

const silent = { info() {}, warn() {}, error() {} };

let admin: Redis;
const open: { disconnect(): void }[] = [];

beforeAll(async () => {
  admin = await connectRedis(await redisUrl(), { role: 'command', name: 'test', log: silent });
});
afterEach(() => {
  for (const connection of open.splice(0)) connection.disconnect();
});
afterAll(() => admin.disconnect());

/** A user of the shared Redis, with these rules behind all rights, and a way to change them. */
async function user(...rules: string[]) {
  const name = `user-${randomUUID()}`;
  const set = (...more: string[]) => admin.acl('SETUSER', name, ...more);
  await set('on', '>pw', '~*', '&*', '+@all', ...rules);
  const url = new URL(await redisUrl());
  url.username = name;
  url.password = 'pw';
  const connectAs = async (role: 'command' | 'blocking' | 'subscriber') => {
    const redis = await connectRedis(url.href, { role, name: 'test', log: silent });
    open.push(redis);
    return redis;
  };
  return { set, connectAs };
}

/** A part whose failures and recovery are awaited. */
function watchedPart() {
  const failures: string[] = [];
  let isWell: boolean | undefined;
  let notify = () => {};
  const until = async (isIt: () => boolean) => {
    while (!isIt()) {
      await new Promise<void>((resolve) => {
        notify = resolve;
      });
    }
  };
  return {
    failures,
    failed(reason: string) {
      failures.push(reason);
      isWell = false;
      notify();
    },
    works() {
      isWell = true;
      notify();
    },
    untilFailed: (times = 1) => until(() => failures.length >= times),
    untilWell: () => until(() => isWell === true),
  };
}

test.each([
  ["OOM command not allowed when used memory > 'maxmemory'. script: 0a1b2c, on @user_script:5.", 'OOM'],
  ["READONLY You can't write against a read only replica.", 'READONLY'],
  [
    'ERR Error running script (call to f_0a1b): @user_script:5: -OOM command not allowed when used memory',
    'OOM',
  ],
  ['MOVED 9564 127.0.0.1:7001', 'MOVED'],
  ['LOADING Redis is loading the dataset in memory', 'LOADING'],
  ["ERR unknown command 'evalsha', with args beginning with: ", 'ERR unknown command'],
  ["ERR value is not an integer or out of range and OOM isn't meant", undefined],
  ['upstream request timeout', undefined],
])('%j is a refusal by %s', (message, code) => {
  const error = Object.assign(new Error(message), { name: 'ReplyError' });
  expect(refusalOf(error)?.code).toBe(code);
  expect(isRedisOutage(error)).toBe(code !== undefined);
  // Every other error leaves open what became of the command.
  expect(refusalOf(new Error(message))).toBeUndefined();
});

test('requests that Redis refuses are given back as refused, and those of a lost connection are not', async () => {
  const { connectAs } = await user('-xadd');
  const redis = await connectAs('command');
  const failed: [string, readonly number[]][] = [];
  let notify = () => {};
  const writer = createRequestWriter<number>({
    redis,
    clock: { now: Date.now, read: async () => Date.now(), close() {} },
    names: createNames(freshPrefix()),
    node: 'node',
    deadlineMs: 1_000,
    requestsMax: 10,
    entriesMax: 10,
    bytesMax: 1_048_576,
    onFailed(requests, failure) {
      failed.push([failure, requests]);
      notify();
    },
  });
  const add = (request: number) =>
    new Promise<void>((resolve) => {
      notify = resolve;
      writer.add(request);
    });
  await add(1);
  redis.disconnect();
  await add(2);
  expect(failed).toEqual([
    ['refused', [1]],
    ['unsent', [2]],
  ]);
});

test('an echo needs every right that a request needs, names the one that is missing, and goes on when it is given', async () => {
  const { connectAs, set } = await user('-xadd');
  const [redis, subscriber] = [await connectAs('command'), await connectAs('subscriber')];
  const names = createNames(freshPrefix());
  const part = watchedPart();
  let echo: Echo | undefined;
  const accepted: object[] = [];
  subscriber.on('messageBuffer', (_: Buffer, bytes: Buffer) => echo?.onPublication(bytes));
  await subscriber.subscribe(names.gateway('node'));
  echo = startEcho({
    redis,
    stream: names.echo,
    channel: names.gateway('node'),
    part,
    onSilence() {},
    onAccepted: (after) => accepted.push(after),
    silenceMaxMs: 60_000,
  });
  try {
    await part.untilFailed();
    expect(echo.check()).toMatch(/lacks a right.*XADD/);
    await set('+xadd');
    await echo.first;
    expect(echo.check()).toBe(true);
    expect(accepted).toEqual([{ isWrongServer: false }]);
  } finally {
    echo.close();
  }
});

test('a channel that this user may not subscribe yet is subscribed once it may, and the waiting call resolves then', async () => {
  const { connectAs, set } = await user('resetchannels');
  const part = watchedPart();
  const channel = freshPrefix();
  const subscriptions = new Subscriptions({
    redis: await connectAs('subscriber'),
    part,
    onPublication() {},
    onResubscribed() {},
  });
  const listening = subscriptions.acquire(channel);
  await part.untilFailed(3);
  await set(`&${channel}`);
  await listening;
  await part.untilWell();
  expect(await admin.publish(channel, 'heard')).toBe(1);
  subscriptions.close();
});

test('a reader that may not read waits, says what is missing, and reads when it may', async () => {
  const { connectAs, set } = await user('-xreadgroup', '-client', '-info');
  const [command, blocking] = [await connectAs('command'), await connectAs('blocking')];
  expect(mayReadInfo(command)).toBe(false);
  const stream = createNames(freshPrefix()).requests;
  const part = watchedPart();
  let read: (requests: readonly unknown[]) => void = () => {};
  const entry = new Promise<readonly unknown[]>((resolve) => {
    read = resolve;
  });
  const reader = await startRequestReader<number>({
    blocking,
    command,
    stream,
    group: 'cores',
    consumer: 'test',
    entriesMax: 10,
    room: async () => {},
    onEntry: ({ requests }) => read(requests),
    onUnreadable() {},
    onStreamLost() {},
    part,
  });
  await part.untilFailed(3);
  expect(part.failures.at(-1)).toContain("'xreadgroup'");
  await admin.xadd(stream, '*', 'v', '1', 'node', 'node', 'deadline', 1, 'requests', '[7]');
  await set('+xreadgroup');
  expect(await entry).toEqual([7]);
  await reader.stop();
});

test("what Redis refuses a worker fails after a pause, so that a loop of BullMQ's does not run hot", async () => {
  const { connectAs } = await user('-bzpopmin');
  const worker = copyForWorkers(await connectAs('command'), 'test-worker');
  const copy = worker.duplicate();
  open.push(worker, copy);
  const pause = new Promise((resolve) => setTimeout(resolve, 500, 'a pause'));
  const refused = copy.bzpopmin('nothing', 1).catch((error: Error) => error.message);
  expect(await Promise.race([pause, refused])).toBe('a pause');
  expect(await refused).toContain("'bzpopmin'");
});

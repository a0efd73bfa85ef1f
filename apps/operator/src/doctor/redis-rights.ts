import { randomUUID } from 'node:crypto';
import { connectRedis, type Names, reasonOf } from '@hooligram/bus';
import { redisUser } from '@hooligram/service';
import type { Place } from '../config.ts';
import { quiet, type Redis } from '../stores/redis.ts';
import { type Finding, fault, ok } from './finding.ts';

const groupName = 'doctor';
const echoTimeoutMs = 3_000;

/**
 * Does once what gateways and cores do all the time, on keys and a channel of its own that it takes away again: every
 * kind of command on every kind of key, and the way of a request, which is written, read and answered on a channel.
 */
export async function examineRights(place: Place, redis: Redis, names: Names): Promise<Finding[]> {
  const id = randomUUID();
  const keys = {
    stream: `${names.requests}:doctor:${id}`,
    queue: `${names.queues}:doctor:${id}`,
    plain: `${names.databaseEpoch}:doctor:${id}`,
  };
  const trials = trialsOn(redis, names, keys);
  const refused: string[] = [];
  const startedAt = performance.now();
  try {
    for (const [what, run] of trials) {
      const reason = await run().then(
        () => undefined,
        (error: unknown) => reasonOf(error),
      );
      if (reason) refused.push(`${what}: ${reason}`);
      // What is not a matter of rights refuses everything.
      if (reason && !/lacks a right/.test(reason)) break;
    }
    if (refused.length === 0) {
      const silence = await echo(place, redis, names.operator(id));
      if (silence) refused.push(silence);
    }
  } finally {
    await redis.del(...Object.values(keys)).catch(() => {});
  }
  const ms = Math.round(performance.now() - startedAt);
  if (refused.length === 0)
    return [ok('redis.write-path', `a request goes in, and its answer comes back (${ms} ms)`)];
  return refused.map((text) => (/lacks a right/.test(text) ? rightsFault(place, text) : pathFault(text)));
}

type Keys = { readonly stream: string; readonly queue: string; readonly plain: string };
type Trial = readonly [what: string, run: () => Promise<unknown>];

function trialsOn(redis: Redis, names: Names, { stream, queue, plain }: Keys): Trial[] {
  return [
    ['writing the request stream', () => redis.xadd(stream, '*', 'doctor', '1')],
    ['a consumer group', () => redis.xgroup('CREATE', stream, groupName, '0')],
    [
      'reading the request stream',
      () => redis.xreadgroup('GROUP', groupName, 'doctor', 'COUNT', 1, 'STREAMS', stream, '>'),
    ],
    ['taking entries over', () => redis.xautoclaim(stream, groupName, 'doctor', 0, '0')],
    ['scripts', () => redis.eval("return redis.call('XLEN', KEYS[1])", 1, stream)],
    ['keys of the queues', () => redis.zadd(queue, 1, 'doctor')],
    ['keys of the prefix', () => redis.set(plain, '1', 'PX', 10_000)],
    ['publishing', () => redis.publish(names.group(0), '')],
    ['counting subscribers', () => redis.pubsub('NUMSUB', names.nodes)],
  ];
}

/** @returns why no answer came back */
async function echo(
  { redisUrl, caFile, replyTimeoutMs }: Place,
  redis: Redis,
  channel: string,
): Promise<string | undefined> {
  const subscriber = await connectRedis(redisUrl, {
    role: 'subscriber',
    name: 'hooligram-doctor',
    log: quiet,
    caFile,
  });
  subscriber.on('error', () => {});
  try {
    const received = new Promise<undefined>((resolve, reject) => {
      subscriber.once('messageBuffer', () => resolve(undefined));
      const timeoutMs = Math.max(echoTimeoutMs, replyTimeoutMs);
      setTimeout(() => reject(new Error('what was published does not come back')), timeoutMs).unref();
    });
    received.catch(() => {});
    await subscriber.subscribe(channel);
    await redis.publish(channel, 'echo');
    return await received;
  } catch (error) {
    return `subscribing: ${reasonOf(error)}`;
  } finally {
    subscriber.disconnect();
  }
}

function rightsFault({ redisUrl, prefix }: Place, text: string): Finding {
  const user = redisUser(redisUrl);
  return fault(
    'redis.rights',
    text,
    `ACL SETUSER ${user} ~${prefix}:* &${prefix}:* +@all -@admin (INFO, CONFIG and CLIENT are not needed)`,
  );
}

function pathFault(text: string): Finding {
  return fault('redis.write-path', text, 'see what Redis says in its log; nothing can be sent meanwhile');
}

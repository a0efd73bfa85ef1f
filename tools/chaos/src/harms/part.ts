import { setTimeout as pause } from 'node:timers/promises';
import type { StackDescription } from '@hooligram/local';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { HarmContext } from './harm.ts';

/** A process of the stack, found anew each time because its pid changes. */
export type Part = {
  readonly name: string;
  readonly pid: (stack: StackDescription) => number;
  /** Whether it answers at all, by itself; not whether it does its work. */
  readonly isUp: (stack: StackDescription) => Promise<boolean>;
};

const pollMs = 25;
const backTimeoutMs = 90_000;
const answerTimeoutMs = 1_000;

export function aGateway({ stack, random }: HarmContext): Part {
  return service('gateways', random.integer(0, stack().gateways.length - 1));
}

export function aCore({ stack, random }: HarmContext): Part {
  return service('cores', random.integer(0, stack().cores.length - 1));
}

function service(kind: 'gateways' | 'cores', index: number): Part {
  const place = (stack: StackDescription) => {
    const found = stack[kind][index];
    if (!found) throw new Error(`stack.json names no ${kind} ${index}`);
    return found;
  };
  return {
    name: `${kind.slice(0, -1)}-${index + 1}`,
    pid: (stack) => place(stack).pid,
    isUp: async (stack) => {
      const answer = await fetch(`${place(stack).admin}/healthz`, {
        signal: AbortSignal.timeout(answerTimeoutMs),
      });
      return answer.ok;
    },
  };
}

export const redisPart: Part = {
  name: 'redis',
  pid: ({ redis }) => redis.pid,
  isUp: async (stack) => (await onRedis(stack, (redis) => redis.ping())) === 'PONG',
};

export const postgresPart: Part = {
  name: 'postgres',
  pid: ({ postgres }) => postgres.pid,
  isUp: async ({ postgres }) => {
    const client = new pg.Client({
      connectionString: postgres.url,
      connectionTimeoutMillis: answerTimeoutMs,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query('SELECT 1')).rowCount === 1;
    } finally {
      await client.end().catch(() => undefined);
    }
  },
};

/** Runs commands on a connection of their own to the stack's Redis. */
export async function onRedis<T>(
  { redis }: StackDescription,
  run: (client: Redis) => Promise<T>,
): Promise<T> {
  const client = new Redis(redis.url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await run(client);
  } finally {
    client.disconnect();
  }
}

/** Waits until the launcher has started the process again and it answers. */
export async function restarted(context: HarmContext, part: Part, oldPid: number): Promise<void> {
  const deadline = Date.now() + backTimeoutMs;
  for (;;) {
    const stack = context.stack();
    if (part.pid(stack) !== oldPid && (await part.isUp(stack).catch(() => false))) return;
    if (Date.now() > deadline) throw new Error(`${part.name} did not come back`);
    await pause(pollMs, undefined, { signal: context.signal });
  }
}

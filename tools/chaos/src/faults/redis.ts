import { setTimeout as pause } from 'node:timers/promises';
import { onRedis } from '../on-redis.ts';
import type { FaultContext } from './fault.ts';

const pausedMs = 5_000;

/** Disconnects all subscribers: they miss everything that is published until they are back. */
export async function killPubsub({ stack, log }: FaultContext): Promise<void> {
  const killed = await onRedis(stack().redis.url, (redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
  log(`CLIENT KILL TYPE pubsub: ${killed} connections`);
}

/** Lets Redis take commands and answer none. */
export async function pauseRedis({ stack, log, signal }: FaultContext): Promise<void> {
  log(`CLIENT PAUSE for ${pausedMs / 1000} s`);
  await onRedis(stack().redis.url, (redis) => redis.client('PAUSE', pausedMs));
  await pause(pausedMs, undefined, { signal });
}

/** Deletes streams, consumer groups and jobs while the processes that use them run. */
export async function flushRedis({ stack, log }: FaultContext): Promise<void> {
  log('FLUSHALL');
  await onRedis(stack().redis.url, (redis) => redis.flushall());
}

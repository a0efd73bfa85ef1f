import { setTimeout as pause } from 'node:timers/promises';
import type { HarmContext } from './harm.ts';
import { onRedis } from './part.ts';

const pausedMs = 5_000;

/** Cuts all subscribers off: whatever is published until they are back, nobody hears. */
export async function killPubsub({ stack, log }: HarmContext): Promise<void> {
  const killed = await onRedis(stack(), (redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
  log(`CLIENT KILL TYPE pubsub: ${killed} connections`);
}

/** Lets Redis take commands and answer none. */
export async function pauseRedis({ stack, log, signal }: HarmContext): Promise<void> {
  log(`CLIENT PAUSE for ${pausedMs / 1000} s`);
  await onRedis(stack(), (redis) => redis.client('PAUSE', pausedMs));
  await pause(pausedMs, undefined, { signal });
}

/** Takes streams, consumer groups and jobs from under the running processes. */
export async function flushRedis({ stack, log }: HarmContext): Promise<void> {
  log('FLUSHALL');
  await onRedis(stack(), (redis) => redis.flushall());
}

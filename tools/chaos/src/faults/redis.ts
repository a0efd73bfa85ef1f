import { setTimeout as pause } from 'node:timers/promises';
import { onRedis } from '../on-redis.ts';
import { anyRedis } from './component.ts';
import type { FaultContext } from './fault.ts';

const pausedMs = 5_000;

/** Disconnects all subscribers: they miss everything that is published until they are back. */
export async function killPubsub(context: FaultContext): Promise<void> {
  const { url, name } = anyRedis(context);
  const killed = await onRedis(url, (redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
  context.log(`CLIENT KILL TYPE pubsub on ${name}: ${killed} connections`);
}

/** Lets Redis take commands and answer none. Nothing ends that early: the command that could is paused, too. */
export async function pauseRedis(context: FaultContext, ms = pausedMs): Promise<void> {
  const { url, name } = anyRedis(context);
  context.log(`CLIENT PAUSE on ${name} for ${ms / 1000} s`);
  await onRedis(url, (redis) => redis.client('PAUSE', ms));
  await pause(ms, undefined, { signal: context.signal });
}

/** Deletes streams, consumer groups and jobs while the processes that use them run. */
export async function flushRedis(context: FaultContext): Promise<void> {
  const { url, name } = anyRedis(context);
  context.log(`FLUSHALL on ${name}`);
  await onRedis(url, (redis) => redis.flushall());
}

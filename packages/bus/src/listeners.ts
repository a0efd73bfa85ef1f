import type { Redis } from 'ioredis';

/**
 * How many connections are subscribed to each of these channels, in their order. 0 says: who subscribes later, hears
 * nothing that was published before.
 *
 * @throws while Redis is away
 */
export async function countListeners(redis: Redis, channels: readonly string[]): Promise<number[]> {
  if (channels.length === 0) return [];
  const reply = (await redis.pubsub('NUMSUB', ...channels)) as (string | number)[];
  return channels.map((_, index) => Number(reply[2 * index + 1]));
}

import { type Names, startRedisClock } from '@hooligram/bus';
import { openQueues, type Queues } from '@hooligram/bus/queues';
import { jobNames } from '@hooligram/contract';
import type { Place } from '../config.ts';
import { quiet, type Redis, withRedis } from './redis.ts';

/** Lends the queues of the jobs. */
export function withQueues<T>(
  place: Place,
  use: (queues: Queues, redis: Redis, names: Names) => Promise<T>,
): Promise<T> {
  return withRedis(place, async (redis, names) => {
    const clock = await startRedisClock(redis);
    const options = { redis, prefix: names.queues, names: jobNames, now: clock.now, log: quiet };
    const queues = openQueues(options);
    try {
      return await use(queues, redis, names);
    } finally {
      await queues.close();
      clock.close();
    }
  });
}

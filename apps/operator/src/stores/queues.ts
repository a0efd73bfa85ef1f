import { type Names, startRedisClock } from '@hooligram/bus';
import { openQueues } from '@hooligram/bus/queues';
import { jobNames } from '@hooligram/contract';
import { quiet, type Redis } from './redis.ts';

/** The queues of the jobs on one Redis, until they are closed. */
export async function openQueuesOn(redis: Redis, names: Names) {
  const clock = await startRedisClock(redis);
  const queues = openQueues({ redis, prefix: names.queues, names: jobNames, now: clock.now, log: quiet });
  return {
    queues,
    async close() {
      await queues.close();
      clock.close();
    },
  };
}

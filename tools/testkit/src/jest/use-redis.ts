import { afterAll, beforeEach } from '@jest/globals';
import { metrics } from '../metrics.ts';
import { until } from '../patience.ts';
import { type RedisSetName, redisSets } from '../redis-sets.ts';
import type { ServiceProcess } from '../service-process.ts';
import { useRedisSet } from '../stores.ts';
import { processesOnRedis } from '../test-system.ts';

/** A failover comes before the second test of a file, and again after so many. */
const testsBetween = 8;

/**
 * The systems of a test file have this for a Redis, which is the file's own. Between two of its tests one dies: the next
 * test begins when every process has noticed and is ready again, with the connections of clients that were open.
 */
export function useRedis(name: RedisSetName): void {
  const set = useRedisSet(redisSets[name]);
  let begun = 0;
  beforeEach(async () => {
    begun += 1;
    if (begun % testsBetween !== 2) return;
    const processes = processesOnRedis();
    const before = await Promise.all(processes.map(reconnects));
    await (await set()).failOver();
    await Promise.all(processes.map((process, index) => untilWhole(process, before[index] as number)));
  });
  // It comes before those of the test file, which would end processes without a Redis.
  afterAll(async () => {
    await Promise.all(processesOnRedis().map((process) => process.end()));
    await (await set()).stop();
  });
}

async function reconnects({ adminUrl }: ServiceProcess): Promise<number> {
  return (await metrics(adminUrl)).value('hooligram_redis_reconnects_total');
}

/** Until it has made a connection again that had broken, has all of them, and is ready. */
async function untilWhole(process: ServiceProcess, before: number): Promise<void> {
  await until(`${process.name} has noticed a failover, and is ready`, async () => {
    // A process that is busy connecting may not answer at once.
    const told = await metrics(process.adminUrl).catch(() => undefined);
    if (!told) return false;
    const { text, value } = told;
    return (
      value('hooligram_redis_reconnects_total') > before &&
      !/^hooligram_redis_connected(\{.*\})? 0$/m.test(text) &&
      (await process.isReady().catch(() => false))
    );
  });
}

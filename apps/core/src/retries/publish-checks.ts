import { encodeDeliveryCheck } from '@hooligram/contract';
import type { Redis } from 'ioredis';
import type { JobContext } from './job-context.ts';

type Checks = Parameters<typeof encodeDeliveryCheck>[0][];

/**
 * Publishes how far groups are, with one pipeline a Redis. The groups of one that is away are left to the sweep that follows
 * when it is back.
 *
 * @throws if one was not published
 */
export async function publishChecks({ shards, names }: JobContext, checks: Checks): Promise<void> {
  const pipelines = new Map<Redis, ReturnType<Redis['pipeline']>>();
  for (const check of checks) {
    if (shards.misses(check.group_id)) continue;
    const redis = shards.commandOf(check.group_id);
    const pipeline = pipelines.get(redis) ?? redis.pipeline();
    pipelines.set(redis, pipeline);
    pipeline.publish(names.group(check.group_id), encodeDeliveryCheck(check));
  }
  for (const results of await Promise.all([...pipelines.values()].map((pipeline) => pipeline.exec()))) {
    const failure = results?.find(([error]) => error !== null)?.[0];
    if (failure) throw failure;
  }
}

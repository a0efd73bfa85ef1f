import { CommandBatch } from '@hooligram/bus';
import { encodeDeliveryCheck } from '@hooligram/contract';
import type { Redis } from 'ioredis';
import type { JobContext } from './job-context.ts';

type Checks = Parameters<typeof encodeDeliveryCheck>[0][];

/**
 * Publishes how far groups are, with one write to each Redis. The groups of one that is away are left to the sweep that follows
 * when it is back.
 *
 * @throws if one was not published
 */
export async function publishChecks({ shards, names }: JobContext, checks: Checks): Promise<void> {
  const batches = new Map<Redis, CommandBatch>();
  for (const check of checks) {
    if (shards.misses(check.group_id)) continue;
    const redis = shards.commandOf(check.group_id);
    const batch = batches.get(redis) ?? new CommandBatch(redis);
    batches.set(redis, batch);
    batch.publish(names.group(check.group_id), encodeDeliveryCheck(check));
  }
  for (const failure of await Promise.all([...batches.values()].map((batch) => batch.send()))) {
    if (failure) throw failure.error;
  }
}

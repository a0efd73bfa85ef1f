import { readServerStart } from '@hooligram/db';
import { type Metrics, redisLabel } from '@hooligram/service';
import type { Redis } from 'ioredis';
import type { Stores } from './stores.ts';

const usuallyEveryMs = 2_000;

type RestartMetrics = ReturnType<typeof createRestartMetrics>;

/** @param shards how many Redis there are */
export function createRestartMetrics(metrics: Metrics, shards = 1) {
  const another =
    'answered than before: it was restarted, or another one took its place; the same on all cores';
  const label = redisLabel(shards);
  const redis = metrics.counter<string>(
    'core_redis_restarts_total',
    `Times that another server of Redis ${another}`,
    label.values,
  );
  return {
    onRedis: (shard: number) => redis.inc(label.of(shard)),
    database: metrics.counter(
      'core_database_restarts_total',
      `Times that another server of Postgres ${another}`,
    ),
  };
}

/**
 * Asks each store, in the background, what tells its process from the one that takes its place. A restart that is over in a
 * second is seen by no condition of readiness. Nice to have: a Redis that forbids INFO says nothing.
 */
export function startRestartWatch(
  { shards, db }: Pick<Stores, 'shards' | 'db'>,
  metrics: RestartMetrics,
  everyMs = usuallyEveryMs,
): { close(): void } {
  const lookAtDatabase = watched(
    () => readServerStart(db),
    () => metrics.database.inc(),
  );
  const lookAtRedis = new Map<Redis, () => Promise<void>>();
  function look(): void {
    void lookAtDatabase();
    for (const { redis, index } of shards.all()) {
      const { command } = redis;
      let lookAtIt = lookAtRedis.get(command);
      if (!lookAtIt) {
        lookAtIt = watched(
          () => readRunId(command),
          () => metrics.onRedis(index),
        );
        lookAtRedis.set(command, lookAtIt);
      }
      void lookAtIt();
    }
  }
  const timer = setInterval(look, everyMs);
  look();
  return { close: () => clearInterval(timer) };
}

/** @returns asks once more, unless the last question has no answer yet; another identity than the last one is reported */
function watched<T>(ask: () => Promise<T | undefined>, onAnother: () => void): () => Promise<void> {
  let known: T | undefined;
  let isAsking = false;
  return async () => {
    if (isAsking) return;
    isAsking = true;
    try {
      const found = await ask();
      if (known !== undefined && found !== undefined && found !== known) onAnother();
      known = found ?? known;
    } catch {
      // It is away, or forbids the question.
    } finally {
      isAsking = false;
    }
  };
}

/** @returns what tells this process of Redis from every other; undefined if it does not say */
export async function readRunId(redis: Redis): Promise<string | undefined> {
  return /^run_id:(\w+)/m.exec(await redis.info('server'))?.[1];
}

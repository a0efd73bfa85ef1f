import type { Redis } from 'ioredis';

const everyMs = 2_000;
/** Epochs are times. One that is so far ahead of the clock was not written by a core. */
const aheadMaxMs = 86_400_000;

export function isEpoch(epoch: number): boolean {
  return Number.isSafeInteger(epoch) && epoch >= 0 && epoch <= Date.now() + aheadMaxMs;
}

/** @returns the database's epoch as the cores have noted it; undefined if they have not, or Redis has lost it */
export async function readEpoch(redis: Redis, key: string): Promise<number | undefined> {
  const epoch = Number((await redis.hget(key, 'epoch')) ?? Number.NaN);
  return isEpoch(epoch) ? epoch : undefined;
}

/**
 * Reads which epoch the database is in: now and then, and when Redis is back, because cores publish a new epoch once,
 * and that may have been lost. Answers of the core tell it too; a gateway that requests nothing gets none.
 */
export function startEpochWatch(
  redis: Redis,
  key: string,
  onEpoch: (epoch: number) => void,
): { look(): void; stop(): void } {
  function look(): void {
    if (redis.status !== 'ready') return;
    readEpoch(redis, key).then(
      (epoch) => epoch !== undefined && onEpoch(epoch),
      () => {},
    );
  }
  const timer = setInterval(look, everyMs);
  redis.on('ready', look);
  return {
    look,
    stop() {
      clearInterval(timer);
      redis.off('ready', look);
    },
  };
}

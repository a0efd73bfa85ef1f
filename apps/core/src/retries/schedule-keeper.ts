import { reasonOf } from '@hooligram/bus';
import type { Part } from '@hooligram/service';
import type { Context } from '../context.ts';
import { kinds } from './index.ts';
import { readEpoch } from './redis-epoch.ts';

const everyMaxMs = 60_000;
const pauseAfterFailureMs = 5_000;

export type Upkeep = {
  /** Redis may have forgotten something a moment ago. */
  run(): void;
  stop(): void;
};

/**
 * Keeps what Redis may forget: says again that there is a sweep, now, each minute, and when Redis is back. A
 * scheduler that is missing begins with a run at once. Also counts the dead letters. What fails is tried again soon.
 */
export function startUpkeep(context: Context, part: Part): Upkeep {
  const { config, redis, queueRedis, queues, audits, jobMetrics } = context;
  let known: string | undefined;

  async function keepUp(): Promise<void> {
    const epoch = await readEpoch(context);
    if (known !== undefined && epoch !== known) audits.forget();
    known = epoch;
    await queues.schedule('sweep', config.SWEEP_EVERY_MS);
    for (const { name } of kinds) jobMetrics.deadLetters(name, await queues.countDeadLetters(name));
  }

  let again: NodeJS.Timeout | undefined;
  const run = () => {
    clearTimeout(again);
    // Each of them calls when it is back.
    if (redis.status !== 'ready' || queueRedis.status !== 'ready') return;
    keepUp().then(part.works, (error: Error) => {
      part.failed(reasonOf(error));
      clearTimeout(again);
      again = setTimeout(run, pauseAfterFailureMs);
    });
  };
  const timer = setInterval(run, Math.min(everyMaxMs, config.SWEEP_EVERY_MS));
  const connections = [redis, queueRedis];
  for (const connection of connections) connection.on('ready', run);
  run();
  return {
    run,
    stop() {
      clearInterval(timer);
      clearTimeout(again);
      for (const connection of connections) connection.off('ready', run);
    },
  };
}

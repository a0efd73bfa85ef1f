import type { Context } from '../context.ts';
import { readEpoch } from './epoch.ts';
import { kinds } from './index.ts';

const everyMaxMs = 60_000;

export type Upkeep = {
  /** Redis may have forgotten something a moment ago. */
  run(): void;
  stop(): void;
};

/**
 * Keeps what Redis may forget: says again that there is a sweep, now, each minute, and when Redis is back. A
 * scheduler that is missing begins with a run at once. Also counts the dead letters.
 */
export function startUpkeep(context: Context): Upkeep {
  const { config, log, redis, queueRedis, queues, audits, jobMetrics } = context;
  let known: string | undefined;

  async function keepUp(): Promise<void> {
    if (redis.status !== 'ready' || queueRedis.status !== 'ready') return;
    const epoch = await readEpoch(context);
    if (known !== undefined && epoch !== known) audits.forget();
    known = epoch;
    await queues.schedule('sweep', config.SWEEP_EVERY_MS);
    for (const { name } of kinds) jobMetrics.deadLetters(name, await queues.countDeadLetters(name));
  }

  const run = () => void keepUp().catch((err: unknown) => log.warn({ err }, 'upkeep of the queues failed'));
  const timer = setInterval(run, Math.min(everyMaxMs, config.SWEEP_EVERY_MS));
  const connections = [redis, queueRedis];
  for (const connection of connections) connection.on('ready', run);
  run();
  return {
    run,
    stop() {
      clearInterval(timer);
      for (const connection of connections) connection.off('ready', run);
    },
  };
}

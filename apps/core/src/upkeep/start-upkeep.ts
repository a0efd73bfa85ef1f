import { type Pass, upkeepAnswers, upkeepMessages } from '@hooligram/db';
import type { Context } from '../context.ts';
import type { UpkeepMetrics } from './metrics.ts';
import { Walk } from './walk.ts';

const dayMs = 86_400_000;

/**
 * Deletes what its time has come for, in portions that all cores share: answers to changes of groups, and with
 * RETENTION_DAYS messages.
 *
 * @returns stops it
 */
export function startUpkeep(
  { config, db, log }: Pick<Context, 'config' | 'db' | 'log'>,
  { deleted, expired, failures }: UpkeepMetrics,
): () => Promise<unknown> {
  const { ANSWERS_DAYS, RETENTION_DAYS, UNDELIVERED_DAYS, UPKEEP_EVERY_MS: everyMs } = config;
  const walk = (portion: () => Promise<Pass>) =>
    new Walk({
      portion,
      everyMs,
      onFailure(err) {
        failures.inc();
        log.warn({ err }, 'the upkeep failed; it is tried again');
      },
    });

  const walks = [
    walk(async () => {
      const done = await upkeepAnswers(db, { keptMs: ANSWERS_DAYS * dayMs, everyMs });
      deleted.inc({ what: 'answers' }, done.answers);
      deleted.inc({ what: 'tombstones' }, done.tombstones);
      return done;
    }),
  ];
  if (RETENTION_DAYS !== undefined) {
    const times = {
      retentionMs: RETENTION_DAYS * dayMs,
      undeliveredMs: UNDELIVERED_DAYS === undefined ? undefined : UNDELIVERED_DAYS * dayMs,
      everyMs,
    };
    walks.push(
      walk(async () => {
        const done = await upkeepMessages(db, times);
        deleted.inc({ what: 'messages' }, done.messages);
        expired.inc(done.expired);
        return done;
      }),
    );
  }
  return () => Promise.all(walks.map((one) => one.stop()));
}

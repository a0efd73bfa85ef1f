import { configRule, integer, milliseconds } from '@hooligram/service';
import { z } from 'zod';

/** The protocol promises that a repetition is known for so long. */
const days = () => integer({ min: 7, max: 36_500 });

const schema = z.object({
  ANSWERS_DAYS: days()
    .default(7)
    .describe('for so long the answer to a change of a group is kept for its repetition'),
  RETENTION_DAYS: days()
    .optional()
    .describe('messages that all members have acknowledged are deleted after so long; unless given, never'),
  UNDELIVERED_DAYS: days()
    .optional()
    .describe('messages that somebody has not acknowledged are deleted after so long; unless given, never'),
  UPKEEP_EVERY_MS: milliseconds({ min: 10 })
    .default(3_600_000)
    .describe('how often the walks begin that delete old answers and messages'),
});

export const upkeepConfig = schema.check(
  configRule<z.output<typeof schema>>(({ ANSWERS_DAYS = 0, RETENTION_DAYS, UNDELIVERED_DAYS }, fault) => {
    // A message is the answer to its own repetition.
    if (RETENTION_DAYS !== undefined && RETENTION_DAYS < ANSWERS_DAYS) {
      fault('RETENTION_DAYS', 'must be at least ANSWERS_DAYS');
    }
    if (UNDELIVERED_DAYS === undefined) return;
    if (RETENTION_DAYS === undefined) fault('UNDELIVERED_DAYS', 'needs RETENTION_DAYS');
    else if (UNDELIVERED_DAYS < RETENTION_DAYS) {
      fault('UNDELIVERED_DAYS', 'must be at least RETENTION_DAYS');
    }
  }),
);

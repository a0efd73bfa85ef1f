import { type Config, integer, milliseconds, variable } from '@hooligram/service';
import { z } from 'zod';

const number = (min: number, max: number) =>
  variable(`a number from ${min} to ${max}`, (text) => {
    const value = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });

export const jobsConfig = z.object({
  DELIVERY_ACK_DEADLINE_MS: milliseconds({ min: 10 })
    .default(5_000)
    .describe('what was not acknowledged within this time is looked after'),
  DELIVERY_CONFIRM_TIMEOUT_MS: milliseconds({ min: 10 })
    .default(2_000)
    .describe('how long a gateway may take to confirm that it sends again'),
  DELIVERY_RETRY_MS: milliseconds({ min: 10 })
    .default(5_000)
    .describe('pause between the first and the second attempt to deliver again'),
  DELIVERY_RETRY_GROWTH: number(1, 10).default(2).describe('by what each further pause is longer'),
  DELIVERY_RETRY_MAX_MS: milliseconds({ min: 10 }).default(300_000).describe('longest pause'),
  DELIVERY_RETRY_JITTER: number(0, 1)
    .default(0.2)
    .describe('part of a pause that is left to chance, so that not all come at once'),
  DELIVERY_ATTEMPTS_MAX: integer({ min: 1, max: 1_000 })
    .default(8)
    .describe('attempts without any progress after which a client that acknowledges nothing is closed'),
  SWEEP_EVERY_MS: milliseconds({ min: 100 })
    .default(60_000)
    .describe('how often the walk over all groups for forgotten deliveries goes on'),
  SWEEP_GROUPS_PER_RUN: integer({ min: 1, max: 1_000_000 })
    .default(10_000)
    .describe('most groups that it looks at each time'),
});

export type JobsConfig = Config<typeof jobsConfig>;

import { boolean, variable } from '@hooligram/service';
import { z } from 'zod';

/** So many points in a window of so many seconds, which begins with the first of them. */
export type Rate = {
  readonly points: number;
  readonly seconds: number;
};

function rate(fallback: string, description: string) {
  return variable('points and a window in seconds such as 5/3600', (text): Rate | undefined => {
    const [, points, seconds] = /^([1-9]\d{0,8})\/([1-9]\d{0,6})$/.exec(text) ?? [];
    return points && seconds ? { points: Number(points), seconds: Number(seconds) } : undefined;
  })
    .prefault(fallback)
    .describe(`${description}, as points/seconds`);
}

/**
 * The defaults for sign-in: one address gets 10 guesses an hour at a number. 1,000 wrong guesses a day from
 * everywhere then shut the number: they are one in a thousand of all codes, and at least four addresses that
 * work all day.
 */
export const limitsConfig = z.object({
  LIMITS_ENABLED: boolean().default(true).describe('whether any of the limits is in force'),
  LIMIT_CODE_REQUESTS_PER_NUMBER: rate('5/3600', 'codes sent to a number'),
  LIMIT_CODE_REQUESTS_PER_ADDRESS: rate('100/3600', 'codes asked for from an address'),
  LIMIT_SUBMIT_FAILURES_PER_ADDRESS: rate('50/900', 'refused submissions of codes from an address'),
  LIMIT_SIGN_IN_FAILURES_PER_ADDRESS: rate('200/3600', 'failed sign-ins from an address'),
  LIMIT_SIGN_IN_FAILURES_PER_ADDRESS_AND_NUMBER: rate(
    '10/3600',
    'failed sign-ins of a number from an address',
  ),
  LIMIT_SIGN_IN_FAILURES_PER_NUMBER: rate('1000/86400', 'failed sign-ins of a number from all addresses'),
});

export type LimitsConfig = Readonly<z.output<typeof limitsConfig>>;

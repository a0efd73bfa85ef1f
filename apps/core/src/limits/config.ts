import { boolean, type Rate, variable } from '@hooligram/service';
import { z } from 'zod';

/** Points in a window of time, which begins with the first of them. */
function readRate(text: string): Rate | undefined {
  const [, points, seconds] = /^([1-9]\d{0,8})\/([1-9]\d{0,6})$/.exec(text) ?? [];
  return points && seconds ? { points: Number(points), seconds: Number(seconds) } : undefined;
}

function rate(fallback: string, description: string) {
  return variable('points and a window in seconds such as 5/3600', readRate)
    .prefault(fallback)
    .describe(`${description}, as points/seconds`);
}

/** Several windows, all of which have to have room. */
function rates(fallback: string, description: string) {
  return variable('points and windows in seconds such as 1/60,5/3600', (text): Rate[] | undefined => {
    const read = text.split(',').map(readRate);
    return read.includes(undefined) ? undefined : (read as Rate[]);
  })
    .prefault(fallback)
    .describe(`${description}, as points/seconds, several with commas between`);
}

/**
 * A guess is a code that was refused, at a sign-in or as a submission. A source is an IPv4 address or an IPv6 /64 network;
 * the /24 or /56 network around it has 4 times its points, the /48 network 16 times. What the defaults come to is
 * calculated in `arithmetic.ts`.
 */
export const limitsConfig = z.object({
  LIMITS_ENABLED: boolean().default(true).describe('whether any of the limits is in force'),
  LIMIT_GUESSES_PER_NUMBER: rate('15/86400', 'wrong codes for a number from all sources'),
  LIMIT_GUESSES_RESERVE: rate(
    '10/86400',
    'beyond that, wrong codes for a number from networks in which it signed in before',
  ),
  LIMIT_GUESSES_PER_NUMBER_AND_SOURCE: rate('5/86400', 'wrong codes for a number from a source'),
  LIMIT_GUESSES_PER_SOURCE: rate('60/21600', 'wrong codes from a source'),
  LIMIT_GUESSED_NUMBERS_PER_SOURCE: rate('20/86400', 'numbers for which a source gave wrong codes'),
  LIMIT_LOOKUPS_PER_SOURCE: rate('60/60', 'look-ups of numbers for a source that has no guess left'),
  LIMIT_TEXTS_PER_NUMBER: rate('10/86400', 'codes sent to a number, whoever asks'),
  LIMIT_TEXTS_RESERVE: rate(
    '5/86400',
    'beyond that, codes sent to a number for networks in which it signed in before',
  ),
  LIMIT_TEXTS_PER_NUMBER_AND_SOURCE: rates(
    '1/60,2/180,3/480,4/1080,6/86400',
    'codes sent to a number for a source: pauses of 1, 2, 5 and 10 minutes',
  ),
  LIMIT_TEXTS_PER_SOURCE: rate('50/86400', 'codes sent for a source that were not submitted rightly'),
  LIMIT_TEXTS_PER_PREFIX: rate(
    '50/3600',
    'codes sent to numbers that differ in their last four digits, and not submitted rightly',
  ),
  LIMIT_TEXTS_PER_COUNTRY_CODE: rate('1000/3600', 'codes sent to a country code'),
  LIMIT_TEXTS: rate('5000/3600', 'codes sent in all'),
  LIMIT_TEXTS_UNCONVERTED: rate(
    '200/3600',
    'codes sent for networks that never submitted a right one, less five for each that is',
  ),
});

export type LimitsConfig = Readonly<z.output<typeof limitsConfig>>;

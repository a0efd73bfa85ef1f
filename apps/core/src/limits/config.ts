import { boolean, rate, rates } from '@hooligram/service';
import { z } from 'zod';

/**
 * A guess is a code that was refused, at a sign-in or as a submission; the first submission of each code that was sent is
 * paid for by the text. A source is an IPv4 address or an IPv6 /64 network; the /24 or /56 network around it has 4 times
 * its points, the /48 network 16 times. A network is a /24 or a /48. What the defaults come to is calculated in
 * `arithmetic.ts`.
 */
export const limitsConfig = z.object({
  LIMITS_ENABLED: boolean().default(true).describe('whether any of the limits is in force'),
  LIMIT_GUESSES_PER_NUMBER: rate('3/86400', 'wrong codes for a number from all sources'),
  LIMIT_GUESSES_FIRST_OF_NETWORK: rate(
    '6/86400',
    'beyond that, wrong codes for a number that are the first one of their network',
  ),
  LIMIT_GUESSES_RESERVE: rate(
    '4/86400',
    'beyond that, wrong codes for a number from networks in which it signed in before',
  ),
  LIMIT_GUESSES_PER_NUMBER_AND_SOURCE: rate('3/86400', 'wrong codes for a number from a source'),
  LIMIT_GUESSES_PER_SOURCE: rate('60/21600', 'wrong codes from a source'),
  LIMIT_GUESSED_NUMBERS_PER_SOURCE: rate('20/86400', 'numbers for which a source gave wrong codes'),
  LIMIT_LOOKUPS_PER_SOURCE: rate('60/60', 'look-ups of numbers for a source that has no guess left'),
  LIMIT_TEXTS_PER_NUMBER: rate('4/86400', 'codes sent to a number, whoever asks'),
  LIMIT_TEXTS_FIRST_OF_NETWORK: rate(
    '7/86400',
    'beyond that, codes sent to a number that are the first one for the network that asks',
  ),
  LIMIT_TEXTS_RESERVE: rate(
    '3/86400',
    'beyond that, codes sent to a number for networks in which it signed in before',
  ),
  LIMIT_TEXTS_PER_NUMBER_AND_SOURCE: rates(
    '1/60,2/180,3/480,4/1080,5/86400',
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

import type { Rate } from '@hooligram/service';
import type { LimitsConfig } from './config.ts';

const daySeconds = 24 * 60 * 60;
const daysPerYear = 365;

/** Codes a year that are somebody else's: how many takeovers guessing is expected to bring. */
export type Takeovers = {
  /** Of one known number, from all sources together. */
  readonly ofOneNumber: number;
  /** Over all numbers, from so many sources. */
  readonly ofAnyNumber: number;
};

/**
 * What the limits on guesses come to. Every guess hits with the chance of 1 in 10^digits: each is at a code that was made
 * by chance. A right guess at a sign-in and one at a submission take the same budgets. Each code that is sent can be
 * guessed at once more, by whoever asked for it.
 *
 * @param digits of a code
 * @param sources IPv4 addresses or IPv6 /64 networks that an attacker uses, none within the other's wider network
 */
export function expectedTakeovers(
  config: Pick<
    LimitsConfig,
    | 'LIMIT_GUESSES_PER_NUMBER'
    | 'LIMIT_GUESSES_FIRST_OF_NETWORK'
    | 'LIMIT_GUESSES_RESERVE'
    | 'LIMIT_TEXTS_PER_NUMBER'
    | 'LIMIT_TEXTS_FIRST_OF_NETWORK'
    | 'LIMIT_TEXTS_RESERVE'
    | 'LIMIT_TEXTS_PER_SOURCE'
    | 'LIMIT_GUESSES_PER_SOURCE'
    | 'LIMIT_GUESSED_NUMBERS_PER_SOURCE'
    | 'LIMIT_GUESSES_PER_NUMBER_AND_SOURCE'
  >,
  digits: number,
  sources: number,
): Takeovers {
  const ofNumber = [
    config.LIMIT_GUESSES_PER_NUMBER,
    config.LIMIT_GUESSES_FIRST_OF_NETWORK,
    config.LIMIT_GUESSES_RESERVE,
    config.LIMIT_TEXTS_PER_NUMBER,
    config.LIMIT_TEXTS_FIRST_OF_NETWORK,
    config.LIMIT_TEXTS_RESERVE,
  ].reduce((sum, rate) => sum + perYear(rate), 0);
  const ofNumbersOfSource =
    perYear(config.LIMIT_GUESSED_NUMBERS_PER_SOURCE) * config.LIMIT_GUESSES_PER_NUMBER_AND_SOURCE.points;
  const ofSource =
    Math.min(perYear(config.LIMIT_GUESSES_PER_SOURCE), ofNumbersOfSource) +
    perYear(config.LIMIT_TEXTS_PER_SOURCE);
  return { ofOneNumber: ofNumber / 10 ** digits, ofAnyNumber: (ofSource * sources) / 10 ** digits };
}

/** A window begins with its first point, so a year has no more of them than this. */
function perYear({ points, seconds }: Rate): number {
  return (points * daysPerYear * daySeconds) / seconds;
}

/** The fewest digits with which both goals hold; undefined if ten are too few. */
export function digitsFor(
  config: Parameters<typeof expectedTakeovers>[0],
  goal: { readonly ofOneNumber: number; readonly ofAnyNumber: number; readonly sources: number },
): number | undefined {
  return [6, 7, 8, 9, 10].find((digits) => {
    const { ofOneNumber, ofAnyNumber } = expectedTakeovers(config, digits, goal.sources);
    return ofOneNumber <= goal.ofOneNumber && ofAnyNumber < goal.ofAnyNumber;
  });
}

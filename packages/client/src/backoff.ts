const baseMs = 1_000;
const maxMs = 30_000;

/**
 * Full jitter: any time between 0 and a ceiling that doubles with each try, so that many who fail together do not
 * return together.
 * @param failures tries that failed one after the other before, from 0
 * @param random from 0 to less than 1
 */
export function backoffMs(failures: number, random: number): number {
  return random * Math.min(maxMs, baseMs * 2 ** failures);
}

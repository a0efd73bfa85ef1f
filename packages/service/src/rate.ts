import { variable } from './variables.ts';

/** So many points in so many seconds. */
export type Rate = {
  readonly points: number;
  readonly seconds: number;
};

function readRate(text: string): Rate | undefined {
  const [, points, seconds] = /^([1-9]\d{0,9})\/([1-9]\d{0,6})$/.exec(text) ?? [];
  return points && seconds ? { points: Number(points), seconds: Number(seconds) } : undefined;
}

/**
 * A rate as `points/seconds`, such as `5/3600`.
 * @param pointsMin so many points at least
 */
export function rate(fallback: string, description: string, { pointsMin = 1 }: { pointsMin?: number } = {}) {
  const expected = `points and seconds such as ${fallback}${pointsMin > 1 ? `, at least ${pointsMin} points` : ''}`;
  return variable(expected, (text) => {
    const read = readRate(text);
    return read && read.points >= pointsMin ? read : undefined;
  })
    .prefault(fallback)
    .describe(`${description}, as points/seconds`);
}

/** Several rates with commas between, such as `1/60,5/3600`: all of them have to have room. */
export function rates(fallback: string, description: string) {
  return variable('points and windows in seconds such as 1/60,5/3600', (text): Rate[] | undefined => {
    const read = text.split(',').map(readRate);
    return read.includes(undefined) ? undefined : (read as Rate[]);
  })
    .prefault(fallback)
    .describe(`${description}, as points/seconds, several with commas between`);
}

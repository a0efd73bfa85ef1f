import { variable } from './variables.ts';

/** So many points in so many seconds. */
export type Rate = {
  readonly points: number;
  readonly seconds: number;
};

/**
 * A rate as `points/seconds`, such as `5/3600`.
 * @param pointsMin so many points at least
 */
export function rate(fallback: string, description: string, { pointsMin = 1 }: { pointsMin?: number } = {}) {
  const expected = `points and seconds such as ${fallback}${pointsMin > 1 ? `, at least ${pointsMin} points` : ''}`;
  return variable(expected, (text): Rate | undefined => {
    const [, points, seconds] = /^([1-9]\d{0,9})\/([1-9]\d{0,6})$/.exec(text) ?? [];
    if (!points || !seconds || Number(points) < pointsMin) return undefined;
    return { points: Number(points), seconds: Number(seconds) };
  })
    .prefault(fallback)
    .describe(`${description}, as points/seconds`);
}

import { comparedFigures } from '../measure/turns.ts';
import type { Report } from './report.ts';
import { digits } from './table.ts';

/** A figure of a system that is scraped may be worse by so many times. */
const timesMax = 1.03;

/** What it costs to be scraped: a line each trial and figure, of those that were measured in turns. */
export function turnLines({ results }: Pick<Report, 'results'>): string[] {
  return results.flatMap(({ workload, round, figures = {} }) =>
    comparedFigures.flatMap((name) => {
      const [turns, before, scraped, times, low, high] = [
        'turns',
        `unscraped_${name}`,
        name,
        `times_${name}`,
        `times_${name}_low`,
        `times_${name}_high`,
      ].map((figure) => figures[figure]);
      if (turns === undefined || before === undefined || scraped === undefined || times === undefined)
        return [];
      const rate = figures.rate_times === undefined ? '' : ` at ${figures.rate_times} times the usual rate`;
      const title = `${workload}${rate}, trial ${round}, ${turns} turns, ${name}`;
      return [
        `${title}: ${digits(before)} not scraped, ${digits(scraped)} scraped, ${times.toFixed(3)} times as bad${verdict(low, high)}`,
      ];
    }),
  );
}

/** @param low 95 of 100 such intervals hold the true value, which is not below it and not above `high` */
function verdict(low: number | undefined, high: number | undefined): string {
  if (low === undefined || high === undefined) return '; too few turns to say how exact that is';
  const range = ` (${low.toFixed(3)}–${high.toFixed(3)})`;
  if (high <= timesMax) return `${range}: at most ${timesMax}`;
  return low > timesMax
    ? `${range}: MORE than ${timesMax}`
    : `${range}: ${timesMax} is neither shown nor refused`;
}

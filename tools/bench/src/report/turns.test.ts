import { expect, test } from '@jest/globals';
import { turnLines } from './turns.ts';

const trial = (figures: Record<string, number>) => ({
  results: [
    { round: 1, workload: 'direct', target: 'ours', figures: { cpu_us: 40 } },
    {
      round: 2,
      workload: 'direct',
      target: 'scraped',
      figures: { turns: 60, cpu_us: 41, unscraped_cpu_us: 40, times_cpu_us: 1.02, ...figures },
    },
    { round: 3, workload: 'direct', target: 'scraped', fault: 'lost' },
  ],
});

test.each([
  [{ times_cpu_us_low: 1.01, times_cpu_us_high: 1.029 }, ' (1.010–1.029): at most 1.03'],
  [{ times_cpu_us_low: 0.99, times_cpu_us_high: 1.05 }, ' (0.990–1.050): 1.03 is neither shown nor refused'],
  [{ times_cpu_us_low: 1.04, times_cpu_us_high: 1.05 }, ' (1.040–1.050): MORE than 1.03'],
  [{}, '; too few turns to say how exact that is'],
])('the interval decides whether scrapes cost too much: %j', (ends, verdict) => {
  expect(turnLines(trial(ends as unknown as Record<string, number>))).toEqual([
    `direct, trial 2, 60 turns, cpu_us: 40.0 not scraped, 41.0 scraped, 1.020 times as bad${verdict}`,
  ]);
});

test('a trial that sent more messages than its workload usually does says so', () => {
  const ends = { times_cpu_us_low: 1.01, times_cpu_us_high: 1.029 };
  expect(turnLines(trial({ rate_times: 4, ...ends }))).toEqual([
    'direct at 4 times the usual rate, trial 2, 60 turns, cpu_us: 40.0 not scraped, 41.0 scraped, 1.020 times as bad (1.010–1.029): at most 1.03',
  ]);
});

import { markdownTable } from 'markdown-table';
import { type Goal, goals } from '../goals.ts';
import { ratiosOf } from './ratios.ts';
import { type Report, type Spread, spread } from './report.ts';
import { digits } from './table.ts';

/**
 * The goals as a table in Markdown: medians and ranges over the rounds, and whether the median meets the goal. A goal
 * whose workloads were not measured is left out, one whose trials all failed has no figure.
 */
export function goalTable({ results }: Pick<Report, 'results'>): string[] {
  const rows = goals.flatMap((goal) => {
    const [workload, target] = goal.of;
    if (!results.some((trial) => trial.workload === workload && trial.target === target)) return [];
    const values = ratiosOf(results, goal.of, goal.to);
    const here = values.length > 0 ? spread(values) : undefined;
    return [[goal.about, limit(goal), here ? cell(here) : 'no figure', verdict(goal, here)]];
  });
  return rows.length > 0 ? [markdownTable([['goal', '', 'here', ''], ...rows])] : [];
}

function limit(goal: Goal): string {
  return 'most' in goal
    ? `at most ${goal.most.toLocaleString('en')}`
    : `at least ${goal.least.toLocaleString('en')}`;
}

function cell({ median, lowest, highest }: Spread): string {
  const range = lowest === highest ? '' : ` (${figure(lowest)}–${figure(highest)})`;
  return `${figure(median)}${range}`;
}

function figure(value: number): string {
  return value < 0.1 ? value.toPrecision(2) : digits(value);
}

function verdict(goal: Goal, here: Spread | undefined): string {
  if (!here) return 'NOT MEASURED';
  const isMet = 'most' in goal ? here.median <= goal.most : here.median >= goal.least;
  return isMet ? 'met' : 'NOT MET';
}

import { expect, test } from '@jest/globals';
import { goalTable } from './goal-table.ts';

const result = (round: number, workload: string, target: string, figures: Record<string, number>) => ({
  round,
  workload,
  target,
  figures,
});

test('a goal is met by the median of its rounds, ratios are of one round, and what was not measured is left out', () => {
  const results = [
    result(1, 'direct', 'ours', { cpu_us: 12 }),
    result(1, 'direct', 'uws-limit', { cpu_us: 4 }),
    result(2, 'direct', 'ours', { cpu_us: 60 }),
    result(2, 'direct', 'uws-limit', { cpu_us: 10 }),
    result(3, 'direct', 'ours', { cpu_us: 35 }),
    result(3, 'direct', 'uws-limit', { cpu_us: 10 }),
    result(1, 'cold-direct-230', 'ours', { jobs_per_message: 0.0214 }),
    result(1, 'storm', 'ours', { sign_ins_per_s: 4_999 }),
    { round: 1, workload: 'idle', target: 'ours', fault: 'lost' },
  ];
  const [table = ''] = goalTable({ results });
  const rows = table.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  expect(rows.slice(2).map((cells) => cells.slice(1, 5))).toEqual([
    ['jobs a message, 230 cold messages a second', 'at most 0.02', '0.021', 'NOT MET'],
    ['Redis commands a message, 230 cold messages a second', 'at most 15', 'no figure', 'NOT MEASURED'],
    ['direct: CPU a delivery, times that of uws-limit', 'at most 4', '3.50 (3.00–6.00)', 'met'],
    ['storm: sign-ins a second', 'at least 5,000', '4,999', 'NOT MET'],
    [
      'idle: KB of resident memory a connection in 10 groups, at rest',
      'at most 8',
      'no figure',
      'NOT MEASURED',
    ],
  ]);
});

test('without a workload of a goal there is no table', () => {
  expect(goalTable({ results: [result(1, 'day', 'ours', { p99_ms: 1 })] })).toEqual([]);
});

import { expect, test } from '@jest/globals';
import { ratioLines } from './ratios.ts';

const result = (round: number, workload: string, figures: Record<string, number>, target = 'ours') => ({
  round,
  workload,
  target,
  figures,
});

test('ratios are of one round each, and their median and range are told', () => {
  const results = [
    result(1, 'cold-direct', { cpu_us: 10 }),
    result(1, 'hot-direct', { cpu_us: 10 }),
    result(2, 'cold-direct', { cpu_us: 60 }),
    result(2, 'hot-direct', { cpu_us: 20 }),
    result(3, 'cold-direct', { cpu_us: 20 }),
    result(3, 'hot-direct', { cpu_us: 10 }),
  ];
  expect(ratioLines({ results })).toEqual([
    'cold-direct ours cpu_us / hot-direct ours cpu_us: 2.00 (1.00–3.00)',
  ]);
});

test('what failed on one side of a round is compared in the others', () => {
  const results = [
    result(1, 'big', { p99_ms: 10, p99_told_ms: 15 }),
    { round: 2, workload: 'big', target: 'ours', fault: 'lost' },
  ];
  expect(ratioLines({ results })).toEqual(['big ours p99_told_ms / big ours p99_ms: 1.50']);
});

test('every figure of a system that is traced is compared with the same work without it', () => {
  const results = [
    result(1, 'fanout', { cpu_us: 10, deliveries_per_s: 100 }),
    result(1, 'fanout', { cpu_us: 11, deliveries_per_s: 99 }, 'traced'),
  ];
  expect(ratioLines({ results })).toEqual([
    'fanout traced cpu_us / fanout ours cpu_us: 1.10',
    'fanout traced deliveries_per_s / fanout ours deliveries_per_s: 0.99',
  ]);
});

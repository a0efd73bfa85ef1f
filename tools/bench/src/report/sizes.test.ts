import { expect, test } from '@jest/globals';
import { summarize } from './report.ts';
import { sizeLines } from './sizes.ts';

test('a delivery in a larger system is compared with the base, and marked when it costs more than a fifth more', () => {
  const measured = (workload: string, cpu_us: number, rest = {}) => ({
    round: 1,
    workload,
    target: 'ours',
    figures: { cpu_us, ...rest },
  });
  const results = [
    measured('size-15000-2-1', 10),
    measured('size-15000-4-3', 11.9),
    measured('size-60000-4-1', 12.1, { rest_gateway_ms: 30, rest_core_ms: 20 }),
  ];
  expect(sizeLines(summarize({ results }))).toEqual([
    '15,000 idle connections in groups of 10, gateways 2, Redis 1: 10.0 µs a delivery (× 1.00)',
    '15,000 idle connections in groups of 10, gateways 4, Redis 3: 11.9 µs a delivery (× 1.19)',
    '60,000 idle connections in groups of 10, gateways 4, Redis 1: 12.1 µs a delivery (× 1.21); CLIMBS more than 20 %; at rest gateway 30.0, core 20.0 ms of CPU a second',
  ]);
  expect(sizeLines(summarize({ results: results.slice(2) }))).toEqual([
    '60,000 idle connections in groups of 10, gateways 4, Redis 1: 12.1 µs a delivery; at rest gateway 30.0, core 20.0 ms of CPU a second',
  ]);
});

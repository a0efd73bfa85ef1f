import { expect, test } from '@jest/globals';
import { growthCurves, growthLines } from './growth.ts';
import { markdownReport } from './markdown-report.ts';
import { spread, summarize, type TrialResult } from './report.ts';

const machine = { processor: 'P', cores: 2, memoryGiB: 4, system: 's', node: 'v20', commit: 'abc' };

function measured(workload: string, cpu_us: number, round = 1): TrialResult {
  return {
    round,
    workload,
    target: 'ours',
    figures: { cpu_us, cpu_gateway_us: cpu_us, deliveries_per_s: 100 },
  };
}

test.each([
  [[3], 3],
  [[5, 1, 3], 3],
  [[4, 1, 3, 2], 2.5],
  [[2, 100, 1, 1_000, 3], 3],
])('the median of %j is %d', (values, median) => {
  expect(spread(values)).toEqual({ median, lowest: Math.min(...values), highest: Math.max(...values) });
});

test('a trial with a fault counts as a fault and in no figure', () => {
  const fault = '1.5550002 was sent message 2 of group 7, after 0';
  const results = [
    measured('fanout', 10),
    { round: 2, workload: 'fanout', target: 'ours', fault },
    measured('fanout', 14, 3),
    { ...measured('fanout', 90), target: 'socketio' },
  ];
  const [ours, socketio] = summarize({ results });
  expect(ours).toMatchObject({ workload: 'fanout', target: 'ours', runs: 2, faults: [fault] });
  expect(ours?.figures.cpu_us).toEqual({ median: 12, lowest: 10, highest: 14 });
  expect(socketio).toMatchObject({ target: 'socketio', runs: 1, faults: [] });
});

test('a curve that climbs more than 20 % is marked, and one that falls is not', () => {
  const results = [
    measured('growth-base', 10),
    measured('growth-gateways-1', 5),
    measured('growth-gateways-4', 11.9),
    measured('growth-groups-500', 10),
    measured('growth-groups-5000', 12.1),
  ];
  const curves = growthCurves(summarize({ results }));
  expect(curves.map(({ dimension, climbs }) => [dimension, climbs])).toEqual([
    ['groups', true],
    ['gateways', false],
  ]);
  expect(curves[1]?.points.map(({ value, ratio }) => [value, ratio])).toEqual([
    [1, 0.5],
    [2, 1],
    [4, 1.19],
  ]);
  expect(growthLines(curves)[0]).toMatch(/^groups: 10: .*12\.1 µs \(× 1\.21\); CLIMBS more than 20 %$/);
});

test('without its base point growth has no curves', () => {
  const fault = 'lost';
  const results = [
    { round: 1, workload: 'growth-base', target: 'ours', fault },
    measured('growth-cores-2', 9),
  ];
  expect(growthCurves(summarize({ results }))).toEqual([]);
});

test('the report shows faults as text, the curve that climbs, and the CPU as bars of one scale', () => {
  const results = [
    measured('fanout', 10),
    { round: 2, workload: 'fanout', target: 'ours', fault: '<script>lost</script>' },
    measured('growth-base', 10),
    measured('growth-cores-2', 13),
    { ...measured('fanout', 5), target: 'uws-limit' },
  ];
  const report = { command: 'c', startedAt: '2026-11-22T07:08:57.123Z', machine, notMeasured: [], results };
  const page = markdownReport(report, summarize(report));
  expect(page).toMatch(/```text\nfanout, ours: <script>lost<\/script>\n```/);
  expect(page).toContain('CLIMBS more than 20 %');
  expect(page).toMatch(new RegExp(`^fanout +ours +${'g'.repeat(60)} 10\\.0 µs$`, 'm'));
  expect(page).toMatch(new RegExp(`^fanout +uws-limit +${'g'.repeat(30)} 5\\.00 µs$`, 'm'));
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

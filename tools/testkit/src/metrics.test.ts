import { expect, test } from '@jest/globals';
import { parseMetrics } from './metrics.ts';

const { value } = parseMetrics(`# HELP frames_total Frames.
# TYPE frames_total counter
frames_total{type="A",way="in"} 3
frames_total{type="A",way="out"} 4
frames_total{type="B, \\"b\\"",way="in"} 5
sessions 1.5e3
wait_seconds_bucket{le="+Inf"} 9
`);

test('a metric is the sum of its series with the labels asked for', () => {
  expect(value('frames_total')).toBe(12);
  expect(value('frames_total', { type: 'A' })).toBe(7);
  expect(value('frames_total', { type: 'A', way: 'out' })).toBe(4);
  expect(value('frames_total', { type: 'B, "b"' })).toBe(5);
  expect(value('sessions')).toBe(1_500);
  expect(value('wait_seconds_bucket', { le: '+Inf' })).toBe(9);
});

test('a metric that is not there is 0', () => {
  expect(value('failures_total')).toBe(0);
});

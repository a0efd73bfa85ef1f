import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { LimitReport } from './limit-report.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function reporting() {
  const texts: string[] = [];
  const metrics = createMetrics({ role: 'gateway' });
  const limits = ['address_frames', 'address_connections', 'user_bytes'] as const;
  const counter = metrics.counter('limited_total', 'Refused', { limit: limits });
  const log = createLog({ name: 'gateway', destination: { write: (text) => void texts.push(text) } });
  /** Lines since the last time. */
  const lines = () => texts.splice(0).map((text) => JSON.parse(text));
  return { lines, metrics, report: new LimitReport<(typeof limits)[number]>(counter, log) };
}

test('the first refusal of each limit is a line at once; what follows is one line, with how many and of whom', async () => {
  const { lines, metrics, report } = reporting();
  for (let n = 0; n < 1_000; n += 1) report.add('address_frames', '203.0.113.7');
  for (let n = 1; n <= 9; n += 1)
    for (let of = 0; of < n; of += 1) report.add('address_frames', `203.0.113.${n}`);
  report.add('user_bytes', 4711);
  expect(lines()).toMatchObject([
    { level: 'warn', limit: 'address_frames', source: '203.0.113.7' },
    { level: 'warn', limit: 'user_bytes', source: '4711' },
  ]);
  jest.advanceTimersByTime(1_000);
  expect(lines()).toMatchObject([
    {
      limit: 'address_frames',
      repeated: 1_044,
      sources: 9,
      worst: { '203.0.113.7': 1_006, '203.0.113.9': 9, '203.0.113.8': 8, '203.0.113.6': 6, '203.0.113.5': 5 },
    },
  ]);
  jest.advanceTimersByTime(60_000);
  expect(lines()).toEqual([]);
  expect(await metrics.text()).toContain('limited_total{limit="address_frames",role="gateway"} 1045');
});

test('a flood from ever new addresses takes bounded memory, and is still counted', () => {
  const { lines, report } = reporting();
  for (let n = 0; n <= 5_000; n += 1) report.add('address_connections', `2001:db8:${n.toString(16)}:0::/64`);
  jest.advanceTimersByTime(1_000);
  expect(lines().at(-1)).toMatchObject({ repeated: 5_000, sources: 1_001, worst: { others: 4_000 } });
});

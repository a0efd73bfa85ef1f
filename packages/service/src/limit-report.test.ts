import { expect, test } from '@jest/globals';
import { LimitReport } from './limit-report.ts';
import type { Log } from './log.ts';
import { createMetrics } from './metrics.ts';

function reporting() {
  const lines: object[] = [];
  const metrics = createMetrics({ role: 'gateway' });
  const limits = ['address_frames', 'address_connections', 'user_bytes'] as const;
  const counter = metrics.counter('limited_total', 'Refused', { limit: limits });
  const log = { warn: (fields: object) => lines.push(fields) } as unknown as Log;
  return { lines, metrics, report: new LimitReport<(typeof limits)[number]>(counter, log) };
}

test('a minute of refusals is one line for each limit, with how many and of whom', async () => {
  const { lines, metrics, report } = reporting();
  for (let n = 0; n < 1_000; n += 1) report.add('address_frames', '203.0.113.7');
  for (let n = 1; n <= 9; n += 1)
    for (let of = 0; of < n; of += 1) report.add('address_frames', `203.0.113.${n}`);
  report.add('user_bytes', 4711);
  expect(lines).toEqual([]);
  report.write();
  expect(lines).toEqual([
    {
      limit: 'address_frames',
      refused: 1_045,
      sources: 9,
      worst: { '203.0.113.7': 1_007, '203.0.113.9': 9, '203.0.113.8': 8, '203.0.113.6': 6, '203.0.113.5': 5 },
    },
    { limit: 'user_bytes', refused: 1, sources: 1, worst: { 4711: 1 } },
  ]);
  report.write();
  expect(lines).toHaveLength(2);
  expect(await metrics.text()).toContain('limited_total{limit="address_frames",role="gateway"} 1045');
});

test('a flood from ever new addresses takes bounded memory, and is still counted', () => {
  const { lines, report } = reporting();
  for (let n = 0; n < 5_000; n += 1) report.add('address_connections', `2001:db8:${n.toString(16)}:0::/64`);
  report.write();
  expect(lines).toMatchObject([{ refused: 5_000, sources: 1_001, worst: { others: 4_000 } }]);
});

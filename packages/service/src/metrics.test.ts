import { expect, test } from '@jest/globals';
import { createMetrics } from './metrics.ts';

test('what was tallied is read once, however often the metrics are read, and grows from there', async () => {
  const metrics = createMetrics({ role: 'test' });
  const plain = metrics.hotCounter('things_total', 'Things');
  const byKind = metrics.hotCounters('kinds_total', 'Things by kind', { kind: ['one'] });
  const line = async (name: string) =>
    (await metrics.text()).split('\n').find((text) => text.startsWith(`hooligram_${name}`));
  plain.count += 3;
  byKind('one').count += 1;
  byKind('one').count += 1;
  for (let reading = 0; reading < 2; reading += 1) {
    expect(await line('things_total{')).toMatch(/ 3$/);
    expect(await line('kinds_total{kind="one"')).toMatch(/ 2$/);
  }
  plain.count += 4;
  expect(await line('things_total{')).toMatch(/ 7$/);
});

test('series of a value that was not known appear together with its first count, and are 0 when they are first read', async () => {
  const metrics = createMetrics({ role: 'test' });
  const labels = { country_code: [], event: ['requested', 'sent'] };
  const codes = metrics.hotCounters('codes_total', 'Codes', labels);
  const series = async () =>
    [
      ...(await metrics.text()).matchAll(
        /^hooligram_codes_total\{country_code="(\d+)",event="(\w+)".* (\d+)$/gm,
      ),
    ].map(([, ...parts]) => parts.join(' '));
  expect(await series()).toEqual([]);
  codes('44', 'requested').count += 1;
  codes('44', 'requested').count += 1;
  expect(await series()).toEqual(['44 requested 0', '44 sent 0']);
  codes('44', 'sent').count += 1;
  codes('1', 'sent').count += 1;
  expect((await series()).sort()).toEqual(['1 requested 0', '1 sent 0', '44 requested 2', '44 sent 1']);
  expect((await series()).sort()).toEqual(['1 requested 0', '1 sent 1', '44 requested 2', '44 sent 1']);
});

test('a hot histogram counts each observation in every bucket that it fits into, as Prometheus has it', async () => {
  const metrics = createMetrics({ role: 'test' });
  const seconds = metrics.hotHistograms('took_seconds', 'Time', {
    buckets: [0.1, 1],
    label: 'path',
    values: ['a', 'b'],
  });
  for (const value of [0.05, 0.1, 0.5, 7]) seconds('a').observe(value);
  const text = await metrics.text();
  for (const [series, value] of [
    ['took_seconds_bucket{le="0.1",path="a",role="test"}', 2],
    ['took_seconds_bucket{le="1",path="a",role="test"}', 3],
    ['took_seconds_bucket{le="+Inf",path="a",role="test"}', 4],
    ['took_seconds_sum{path="a",role="test"}', 7.65],
    ['took_seconds_count{path="a",role="test"}', 4],
    ['took_seconds_count{path="b",role="test"}', 0],
  ] as const) {
    expect(text).toContain(`hooligram_${series} ${value}\n`);
  }
});

test('a labelled metric whose values are known has all its series, with 0, before anything has happened', async () => {
  const metrics = createMetrics({ role: 'test' });
  metrics.counter('calls_total', 'Calls', { call: ['send', 'check'], outcome: ['good', 'bad'] });
  metrics.hotCounters('frames_total', 'Frames', { type: ['A', 'B'] });
  metrics.gauge('jobs', 'Jobs', { queue: ['sweep'] });
  const zeros = [...(await metrics.text()).matchAll(/^hooligram_\w+\{.*\} 0$/gm)];
  expect(zeros).toHaveLength(4 + 2 + 1);
  expect(metrics.describe().at(-1)).toEqual({
    name: 'hooligram_jobs',
    type: 'gauge',
    help: 'Jobs',
    labels: { queue: ['sweep'] },
  });
});

test('an event loop that was in time has no lag, and one that stood still has as much', async () => {
  const metrics = createMetrics({ role: 'test' });
  const endsAt = performance.now() + 60_000;
  /** Since it was asked last. */
  const lag = async (which: string) => {
    if (performance.now() > endsAt) throw new Error(`the lag (${which}) did not become what it has to be`);
    const text = await metrics.text();
    return Number(new RegExp(`^nodejs_eventloop_lag_${which}_seconds\\{.*\\} (.*)$`, 'm').exec(text)?.[1]);
  };
  /** Resolves when the lag was measured: behind each question Node begins anew. */
  const measured = () =>
    new Promise<void>((resolve) => {
      let left = 5;
      const timer = setInterval(() => {
        left -= 1;
        if (left > 0) return;
        clearInterval(timer);
        resolve();
      }, 100);
    });
  do await measured();
  while ((await lag('min')) > 0.05);
  let max = 0;
  while (max < 0.25) {
    await measured();
    const endsAt = performance.now() + 400;
    while (performance.now() < endsAt);
    await measured();
    max = await lag('max');
  }
  expect(max).toBeLessThan(1_000);
});

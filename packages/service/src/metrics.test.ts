import { expect, test } from '@jest/globals';
import { createMetrics } from './metrics.ts';

test('what was tallied is read once, however often the metrics are read, and grows from there', async () => {
  const metrics = createMetrics({ role: 'test' });
  const plain = metrics.hotCounter('things_total', 'Things');
  const byKind = metrics.hotCounters('kinds_total', 'Things by kind', 'kind');
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

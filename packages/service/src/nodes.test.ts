import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createMetrics } from './metrics.ts';
import { createNodes } from './nodes.ts';
import { createServiceMetrics } from './service-metrics.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function setUp() {
  const metrics = createMetrics({ role: 'core' });
  const nodes = createNodes(createServiceMetrics(metrics));
  const stopped = async () =>
    [...(await metrics.text()).matchAll(/^hooligram_node_stopped\{id="([\w-]+)".* 1$/gm)].map(([, id]) => id);
  return { nodes, stopped };
}

test('a node that has stopped is reported for ten minutes', async () => {
  const { nodes, stopped } = setUp();
  nodes.stopped('a');
  jest.advanceTimersByTime(5 * 60_000);
  nodes.stopped('b');
  nodes.stopped('a');
  expect(await stopped()).toEqual(['a', 'b']);
  jest.advanceTimersByTime(5 * 60_000);
  expect(await stopped()).toEqual(['b']);
});

test('of more nodes than there can be the newest are reported', async () => {
  const { nodes, stopped } = setUp();
  for (let n = 0; n < 250; n += 1) nodes.stopped(`n${n}`);
  const ids = await stopped();
  expect([ids.length, ids.at(0), ids.at(-1)]).toEqual([100, 'n150', 'n249']);
});

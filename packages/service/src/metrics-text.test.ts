import { expect, test } from '@jest/globals';
import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client';
import { metricsText } from './metrics-text.ts';

test('all kinds of metrics, labels and numbers are written as prom-client itself writes them', async () => {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'plain_total', help: 'No labels', registers }).inc(3);
  const odd = new Counter({ name: 'odd_total', help: 'A \\ and\na line', labelNames: ['a', 'b'], registers });
  odd.inc({ a: 'with "quotes"', b: 'back\\slash' }, 1);
  odd.inc({ a: 'two\nlines', b: 'äöü €' }, 2.5);
  new Gauge({ name: 'empty', help: 'Nothing was set', labelNames: ['a'], registers });
  const gauge = new Gauge({ name: 'level', help: 'Odd numbers', labelNames: ['of'], registers });
  const numbers = [0, -1, 1e21, 1e-7, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const [of, value] of numbers.entries()) gauge.set({ of }, value);
  const took = new Histogram({
    name: 'took_seconds',
    help: 'Time',
    buckets: [0.1, 1],
    labelNames: ['path', 'by'],
    registers,
  });
  for (const value of [0.05, 0.5, 5]) took.observe({ path: 'a "b"', by: 'c' }, value);
  new Histogram({ name: 'alone_seconds', help: 'Without labels', registers }).observe(1);
  new Summary({ name: 'sum_seconds', help: 'Quantiles', labelNames: ['x'], registers }).observe(
    { x: 'y' },
    2,
  );
  // More lines than are written in one turn, as a rule.
  const many = new Counter({ name: 'many_total', help: 'Many', labelNames: ['n'], registers });
  for (let n = 0; n < 1_000; n += 1) many.inc({ n });
  new Counter({ name: 'last_total', help: 'Behind them', registers }).inc();

  expect(await metricsText(registry, {})).toBe(await registry.metrics());
  registry.setDefaultLabels({ role: 'a "role"', zone: 'z' });
  expect(await metricsText(registry, { role: 'a "role"', zone: 'z' })).toBe(await registry.metrics());
});

/** How many turns of the event loop there were until it was done. */
async function turnsUntil(done: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await done;
  isDone = true;
  return turns;
}

test('the event loop goes on between metrics that take long to read, and amid one with many lines', async () => {
  const registry = new Registry();
  const collect = () => {
    const endsAt = performance.now() + 2;
    while (performance.now() < endsAt);
  };
  for (let n = 0; n < 10; n += 1)
    new Gauge({ name: `slow_${n}`, help: 'Slow', registers: [registry], collect });
  expect(await turnsUntil(metricsText(registry, {}))).toBeGreaterThanOrEqual(10);

  const large = new Registry();
  const many = new Counter({ name: 'many_total', help: 'Many', labelNames: ['n'], registers: [large] });
  for (let n = 0; n < 50_000; n += 1) many.inc({ n });
  expect(await turnsUntil(metricsText(large, {}))).toBeGreaterThanOrEqual(5);
});

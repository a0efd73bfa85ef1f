import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { metrics, startSystem, type TestSystem, until } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { metricNames, metricsPage, seriesFromTheStart } from '../src/metrics-page.ts';
import { root } from '../src/paths.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startSystem({ gateways: 1, cores: 1, coreEnv: { LIMITS_ENABLED: 'true' } });
});
afterAll(() => system?.stop());

test('docs/metrics.md is what the code says (npm run build -- --docs)', () => {
  expect(readFileSync(join(root, 'docs/metrics.md'), 'utf8')).toBe(metricsPage());
});

test('a running gateway and a running core expose what --metrics lists, and nothing else; every labelled counter has all its series before anything has happened, or none where its values are not listed', async () => {
  for (const [app, { adminUrl }] of [
    ['gateway', system.gateway(0)],
    ['core', system.core(0)],
  ] as const) {
    const { text, value } = await metrics(adminUrl);
    const exposed = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
    expect(exposed.sort()).toEqual(metricNames(app).sort());
    const counters = [...seriesFromTheStart(app, 'counter')].map(
      ([name, count = 0]) => [name, count] as const,
    );
    expect(counters.filter(([, count]) => count === 0).length).toBeLessThan(2);
    expect(counters.length).toBeGreaterThan(10);
    const series = (name: string) => text.match(new RegExp(`^${name}\\{.*\\} \\d`, 'gm'))?.length ?? 0;
    expect(counters.map(([name]) => [name, series(name)] as const)).toEqual(counters);
    expect(value('hooligram_build_info')).toBe(1);
    expect(value('hooligram_draining')).toBe(0);
    expect(value('hooligram_redis_connected', { connection: 'command' })).toBe(1);
  }
  const { text } = await metrics(system.gateway(0).adminUrl);
  expect(text).toContain('hooligram_gateway_sign_ins_total{outcome="failure",role="gateway"} 0');
  expect(text).toContain('hooligram_gateway_delivery_seconds_count{path="retry",role="gateway"} 0');
});

test('a core that stops in order says so to the other nodes, one that is killed does not', async () => {
  const [killed, stopped] = [system.core(0), await system.addCore()];
  const idOf = async (adminUrl: string) =>
    /^hooligram_node_info\{id="([\w-]+)"/m.exec((await metrics(adminUrl)).text)?.[1] ?? '';
  const ids = [await idOf(killed.adminUrl), await idOf(stopped.adminUrl)] as const;
  await killed.kill();
  await stopped.stop();
  const isStopped = async (id: string) =>
    (await metrics(system.gateway(0).adminUrl)).value('hooligram_node_stopped', { id }) === 1;
  await until('the core that stopped is reported', () => isStopped(ids[1]));
  expect(await isStopped(ids[0])).toBe(false);
});

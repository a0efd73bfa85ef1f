import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import { dashboardFiles, panelQueries } from '../src/dashboards/index.ts';
import { root } from '../src/paths.ts';
import { Prometheus } from '../src/prometheus.ts';
import { metricsIn } from './named-metrics.ts';

test.each([...dashboardFiles()])(
  'infra/grafana/%s is what the code makes (npm run build -- --docs)',
  (name, text) => {
    expect(readFileSync(join(root, 'infra/grafana', name), 'utf8')).toBe(text);
  },
);

test('every panel asks for metrics that exist', () => {
  const queries = panelQueries();
  expect(queries.length).toBeGreaterThan(40);
  expect(queries.filter((query) => metricsIn(query).named.length === 0)).toEqual([]);
  expect(metricsIn(queries.join('\n')).unknown).toEqual([]);
});

test('Prometheus answers the query of every panel, and loads the rules at a shorter scale', async () => {
  const [port = 0] = await freePorts(1);
  const dir = mkdtempSync(join(tmpdir(), 'hooligram-prometheus-'));
  const options = { gateways: [], cores: [], port, dir, scrapeEveryMs: 1_000, scale: 0.05 };
  const prometheus = await Prometheus.start(options);
  try {
    for (const query of panelQueries()) await prometheus.query(query);
    await expect(prometheus.query('sum(hooligram_ready')).rejects.toThrow('parse error');
    expect(await prometheus.query('vector(7)')).toEqual([7]);
  } finally {
    await prometheus.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});

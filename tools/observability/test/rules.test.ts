import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { root } from '../src/paths.ts';
import { prometheusProgram, scaledRules } from '../src/prometheus.ts';
import { metricsIn, ruleFiles, rulesDir, rulesText } from './named-metrics.ts';

let promtool = '';
beforeAll(async () => {
  promtool = await prometheusProgram('promtool');
});

/** @throws with promtool's output when it finds a fault */
function check(...args: string[]): string {
  return execFileSync(promtool, args, { cwd: rulesDir, encoding: 'utf8' });
}

test('promtool accepts the rules, and the configuration for a local stack', () => {
  expect(check('check', 'rules', ...ruleFiles)).toMatch(/SUCCESS[\s\S]*SUCCESS/);
  expect(check('check', 'config', 'prometheus.yml')).toContain('SUCCESS');
});

const testFiles = ['alerts.test.yml', 'slow-alerts.test.yml'];
const alerts = [...rulesText.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);

test('each alert fires for its cause, and stays silent for a deployment and for what follows from another cause', () => {
  expect(check('test', 'rules', ...testFiles)).toMatch(/SUCCESS[\s\S]*SUCCESS/);
});

test('each alert has a case in which it fires, so the test above is about all of them', () => {
  const cases = testFiles.flatMap((name) => {
    const { tests } = parse(readFileSync(join(rulesDir, name), 'utf8')) as {
      tests: { alert_rule_test?: { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    return tests.flatMap(({ alert_rule_test = [] }) => alert_rule_test);
  });
  const firing = cases.filter(({ exp_alerts }) => exp_alerts.length > 0);
  expect([...new Set(firing.map(({ alertname }) => alertname))].sort()).toEqual([...alerts].sort());
});

test('every metric that a rule names exists', () => {
  const expressions = rulesText
    .replace(/#.*$/gm, '')
    .replace(/^ *(summary|runbook_url|- alert|- name):.*$/gm, '');
  const { named, unknown } = metricsIn(expressions);
  expect(named.length).toBeGreaterThan(40);
  expect(unknown).toEqual([]);
});

describe('the runbook', () => {
  const runbook = readFileSync(join(root, 'docs/runbook.md'), 'utf8');
  const sections = new Map(
    runbook
      .split(/^## /m)
      .slice(1)
      .map((section) => [/^\w+/.exec(section)?.[0] ?? '', section]),
  );

  test.each(alerts)(
    'says of %s what it means, how to look and what to do, and the alert links to that',
    (alert) => {
      const section = sections.get(alert) ?? '';
      for (const part of ['**Means**', '**Look**', '**Do**']) expect(section).toContain(part);
      expect(rulesText).toContain(
        `runbook_url: '{{ or $externalLabels.runbook "docs/runbook.md" }}#${alert.toLowerCase()}'\n`,
      );
    },
  );

  test('has no section without an alert', () => {
    expect([...sections.keys()].sort()).toEqual([...alerts].sort());
  });
});

test('a scale shortens every duration of the rules, and no range to less than five scrapes', () => {
  const scaled = scaledRules(
    '    interval: 1m\n        for: 10s\n        for: 2m\n  expr: rate(a[5m]) + max_over_time(b[1m:]) + c_1h\n',
    {
      scale: 0.05,
      scrapeEveryMs: 1_000,
    },
  );
  expect(scaled).toBe(
    '    interval: 3000ms\n        for: 2000ms\n        for: 6000ms\n  expr: rate(a[15000ms]) + max_over_time(b[5000ms:]) + c_1h\n',
  );
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { metricNames } from '../src/metrics-page.ts';
import { root } from '../src/paths.ts';

/** Of Prometheus itself, and of exporters that may be there. */
const foreign = ['up', 'ALERTS', 'namedprocess_namegroup_cpu_seconds_total'];

export const rulesDir = join(root, 'infra/prometheus');
export const ruleFiles = readdirSync(rulesDir).filter((name) => name.endsWith('.rules.yml'));
export const rulesText = ruleFiles.map((name) => readFileSync(join(rulesDir, name), 'utf8')).join('\n');

/** What expressions name, and which of that neither a process exposes nor a rule records. */
export function metricsIn(expressions: string): { named: string[]; unknown: string[] } {
  const recorded = [...rulesText.matchAll(/record: (\S+)/g)].map(([, name = '']) => name);
  const known = new Set([
    ...metricNames('gateway'),
    ...metricNames('core'),
    ...metricNames('canary'),
    ...foreign,
    ...recorded,
  ]);
  const pattern = /\b(hooligram[_:][\w:]+|process_\w+|nodejs_\w+|namedprocess_\w+|ALERTS|up)\b/g;
  const named = [...expressions.matchAll(pattern)]
    .map(([, name = '']) => name)
    .map((name) => (known.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')));
  return { named, unknown: [...new Set(named)].filter((name) => !known.has(name)) };
}

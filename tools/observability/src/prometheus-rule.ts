import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.ts';

const files = ['recording.rules.yml', 'alerts.rules.yml'];
const head = `# Made from infra/prometheus (npm run build -- --docs); not edited here.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: hooligram
  labels: { app.kubernetes.io/name: hooligram }
spec:
  groups:
`;

/** @returns all rules of infra/prometheus, for the Prometheus operator */
export function prometheusRule(): string {
  return head + files.map(groupsOf).join('');
}

/** The lines below `groups:`, as deep as the manifest has them. */
function groupsOf(file: string): string {
  const text = readFileSync(join(root, 'infra/prometheus', file), 'utf8');
  const [, groups = ''] = text.split(/^groups:\n/m);
  return groups.replace(/^(?=.)/gm, '  ');
}

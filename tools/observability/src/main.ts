import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboardFiles } from './dashboards/index.ts';
import { metricsPage } from './metrics-page.ts';
import { root } from './paths.ts';
import { prometheusRule } from './prometheus-rule.ts';

// Writes what is made from the code again: `npm run build -- --docs`.
writeFileSync(join(root, 'docs/metrics.md'), metricsPage());
for (const [name, text] of dashboardFiles()) writeFileSync(join(root, 'infra/grafana', name), text);
writeFileSync(join(root, 'infra/kubernetes/monitoring/rules.yaml'), prometheusRule());
process.stdout.write('  docs/metrics.md, infra/grafana, infra/kubernetes/monitoring/rules.yaml\n');

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { metricsPage } from './metrics-page.ts';
import { root } from './paths.ts';

// Writes what is made from the code again: `npm run build -- --docs`.
writeFileSync(join(root, 'docs/metrics.md'), metricsPage());
process.stdout.write('  docs/metrics.md\n');

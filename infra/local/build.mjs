import { execFileSync } from 'node:child_process';
import { ensureBuilt } from './bootstrap.mjs';
import { passOnTo } from './pass-on.mjs';
import { root } from './step.mjs';

const node = await ensureBuilt();
// What is generated is committed: it is generated again when its source has changed.
if (process.argv.includes('--docs')) {
  execFileSync(node, ['tools/observability/dist/main.js'], { cwd: root, stdio: 'inherit' });
  passOnTo(node, ['tools/protocol-docs/dist/main.js']);
}

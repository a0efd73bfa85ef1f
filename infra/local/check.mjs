import { spawnSync } from 'node:child_process';
import { ensureBuilt } from './bootstrap.mjs';
import { root } from './step.mjs';

// The build comes first: what it generates is imported by what is checked.
await ensureBuilt();
const checks = [
  ['biome', 'check'],
  ['tsc', '-p', '.'],
  ['tsc', '-p', 'apps/web'],
  ['knip', '--no-progress'],
  // What others install has to be found by their tools: exports, and types, as they are in the packed package.
  ['publint', 'packages/client', '--strict', '--pack', 'npm'],
  ['attw', '--pack', 'packages/client', '--profile', 'esm-only', '--quiet'],
];
for (const [tool, ...args] of checks) {
  const { status } = spawnSync(`node_modules/.bin/${tool}`, args, { cwd: root, stdio: 'inherit' });
  process.stdout.write(`  ${tool}: ${status === 0 ? 'clean' : 'failed'}\n`);
  if (status !== 0) process.exitCode = 1;
}

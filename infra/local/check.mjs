import { spawnSync } from 'node:child_process';
import { ensureBuilt } from './bootstrap.mjs';
import { root } from './step.mjs';

// The build comes first: what it generates is imported by what is checked.
await ensureBuilt();
const path = `${root}node_modules/.bin:${process.env.PATH}`;
const here = { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path } };
const checks = {
  lint: () => spawnSync('biome', ['check'], here),
  types: () => spawnSync('tsc', ['-p', '.'], here),
  'types of the web app': () => spawnSync('tsc', ['-p', 'apps/web'], here),
  // Type imports count: a reader who enters a circle anywhere has to know all of it.
  'circles of imports': () =>
    spawnSync('node', ['infra/local/circles.mjs', '5', 'apps/gateway/src', 'apps/core/src'], here),
  'unused code': () => spawnSync('knip', ['--no-progress'], here),
  // Others install the SDK: their tools have to find its exports and types, as they are in the packed package.
  'the package of the SDK': () =>
    spawnSync('publint', ['packages/client', '--strict', '--pack', 'npm'], here),
  'its types for others': () =>
    spawnSync('attw', ['--pack', 'packages/client', '--profile', 'esm-only', '--quiet'], here),
};
for (const [name, run] of Object.entries(checks)) {
  const { status } = run();
  process.stdout.write(`  ${name}: ${status === 0 ? 'clean' : 'failed'}\n`);
  if (status !== 0) process.exitCode = 1;
}

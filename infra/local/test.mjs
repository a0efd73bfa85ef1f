import { ensureBuilt } from './bootstrap.mjs';
import { passOnTo } from './pass-on.mjs';

const node = await ensureBuilt();
passOnTo(node, ['node_modules/jest/bin/jest.js', '--maxWorkers=2', ...process.argv.slice(2)], {
  // Jest runs ES modules in contexts of its own, and Node warns at every start that this is experimental.
  env: { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --no-warnings`.trim() },
});

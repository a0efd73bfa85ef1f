import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './bootstrap.mjs';
import { startLoad } from './load.mjs';
import { passOnTo } from './pass-on.mjs';

const args = process.argv.slice(2);
const besideLoad = '--beside-load';
const workers = args.some((arg) => /^--maxWorkers/.test(arg)) ? [] : ['--maxWorkers=2'];

const node = await ensureBuilt();
if (args.includes(besideLoad)) startLoad();
const jest = fileURLToPath(import.meta.resolve('jest/bin/jest'));
passOnTo(node, [jest, ...workers, ...args.filter((arg) => arg !== besideLoad)], {
  // Jest runs ES modules in contexts of its own, and Node warns at every start that this is experimental.
  env: { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --no-warnings`.trim() },
});

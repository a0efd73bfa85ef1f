import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ensureBuilt } from './bootstrap.mjs';
import { startLoad } from './load.mjs';
import { passOnTo } from './pass-on.mjs';
import { wholeSystems } from './whole-systems.mjs';

const redisForms = ['list', 'sentinel', 'cluster'];

// `--redis=list` is `--redis list`, as with all other tools.
const args = process.argv.slice(2).flatMap((arg) => (arg.startsWith('--redis=') ? arg.split('=', 2) : [arg]));
const besideLoad = takeFlag('--beside-load') !== undefined;
const [redis] = takeFlag('--redis', 1) ?? [];
if (redis !== undefined && !redisForms.includes(redis)) {
  process.stderr.write(`npm test: --redis must be one of ${redisForms.join(', ')}, not "${redis}"\n`);
  process.exit(2);
}
const workers = args.some((arg) => /^--maxWorkers/.test(arg)) ? [] : ['--maxWorkers=2'];

const node = await ensureBuilt();
if (besideLoad) startLoad();
const require = createRequire(import.meta.url);
const jest = require.resolve('jest/bin/jest');
passOnTo(node, [jest, ...workers, ...args, ...onRedis()], {
  env: {
    // Jest runs ES modules in contexts of its own, and Node warns at every start that this is experimental.
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --no-warnings`.trim(),
    ...(redis === undefined ? {} : { HOOLIGRAM_TEST_REDIS: redis }),
  },
});

/** Every test file gets a Redis of its own, in this form, and a failover in its middle. */
function onRedis() {
  if (redis === undefined) return [];
  const setup = '--setupFilesAfterEnv=<rootDir>/tools/testkit/src/jest/on-redis.ts';
  // At the end: jest would take what stands behind it for further ones.
  return args.some(isPattern) ? [setup] : [...wholeSystems, setup];
}

/** A path, or a part of one that is not the value of a flag: `--flag=value` has its own. */
function isPattern(arg, at) {
  return !arg.startsWith('-') && (existsSync(arg) || !/^-[^=]*$/.test(args[at - 1] ?? ''));
}

/** Takes a flag out of the arguments. @returns its values, empty where one is missing; undefined if it is not there */
function takeFlag(name, values = 0) {
  const at = args.indexOf(name);
  if (at === -1) return undefined;
  const [, ...given] = args.splice(at, 1 + values);
  return Array.from({ length: values }, (_, index) => given[index] ?? '');
}

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { chooseNode } from './node.mjs';
import { root, step } from './step.mjs';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const stamps = { install: 'node_modules/.hooligram-installed', build: 'node_modules/.hooligram-built' };
const packageDirs = ['apps', 'packages', 'tools', 'examples'];

/** npx's arguments that put the pinned pnpm on the path of what follows. */
const withPnpm = ['npx', '--yes', `--package=${manifest.packageManager}`, '--'];

const quiet = {
  // No questions, no telemetry.
  CI: 'true',
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  NO_UPDATE_NOTIFIER: '1',
  // npx has brought the version that package.json names; pnpm need not look for it again.
  pnpm_config_pm_on_fail: 'ignore',
  npm_config_update_notifier: 'false',
  npm_config_fund: 'false',
  npm_config_audit: 'false',
  npm_config_loglevel: 'error',
};

/** Installs what the lockfile says, unless that is what is installed. */
async function ensureInstalled(abi) {
  const inputs = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...packageFiles('package.json')];
  const hash = hashOf(inputs, abi);
  if (isStamped(stamps.install, hash)) return;
  const install = ['pnpm', 'install', '--frozen-lockfile', '--prod=false', '--prefer-offline'];
  await stamped(stamps.install, hash, () =>
    step('installing dependencies', [...withPnpm, ...install], quiet),
  );
}

/**
 * Builds all packages, unless nothing has changed since they were built.
 * @returns {Promise<string>} the path of the Node to run them with
 */
export async function ensureBuilt() {
  const { path, abi } = await chooseNode();
  await ensureInstalled(abi);
  const hash = hashOf(buildInputs(), abi);
  const outputs = packageFiles('package.json')
    .filter(isBuilt)
    .map((file) => join(dirname(file), 'dist'));
  if (isStamped(stamps.build, hash) && outputs.every((dir) => existsSync(join(root, dir)))) return path;
  const build = ['turbo', 'run', 'build', '--env-mode=loose', '--output-logs=errors-only'];
  await stamped(stamps.build, hash, () => step('building', [...withPnpm, ...build], quiet));
  return path;
}

/** One that fails may leave something of itself behind: what was there before is no longer what its stamp says. */
async function stamped(stamp, hash, work) {
  rmSync(join(root, stamp), { force: true });
  await work();
  writeFileSync(join(root, stamp), hash);
}

function buildInputs() {
  const sources = packageDirs.flatMap((dir) =>
    filesBelow(dir, ['node_modules', 'dist', 'generated', '.turbo', 'test']),
  );
  return ['tsconfig.json', 'turbo.json', 'pnpm-lock.yaml', ...filesBelow('prisma', []), ...sources];
}

function packageFiles(name) {
  return packageDirs
    .filter((dir) => existsSync(join(root, dir)))
    .flatMap((dir) => readdirSync(join(root, dir)).map((folder) => join(dir, folder, name)))
    .filter((file) => existsSync(join(root, file)));
}

function isBuilt(manifestFile) {
  return JSON.parse(readFileSync(join(root, manifestFile), 'utf8')).scripts?.build !== undefined;
}

function filesBelow(dir, skipped) {
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return skipped.includes(entry.name) ? [] : filesBelow(path, skipped);
    return entry.isFile() && !entry.name.endsWith('.test.ts') && !entry.name.endsWith('.md') ? [path] : [];
  });
}

function hashOf(files, abi) {
  const hash = createHash('sha256').update(`node ${abi} ${process.platform} ${process.arch}\n`);
  for (const file of [...files].sort()) {
    hash
      .update(`${file}\n`)
      .update(readFileSync(join(root, file)))
      .update('\n');
  }
  return hash.digest('hex');
}

function isStamped(stamp, hash) {
  try {
    return readFileSync(join(root, stamp), 'utf8') === hash;
  } catch {
    return false;
  }
}

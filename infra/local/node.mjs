import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fail, root, step } from './step.mjs';

const least = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace('>=', '');
const folder = 'infra/local/node';
const { platform, arch, versions } = process;

/**
 * The Node that everything runs on, and the version of its binary interface (`process.versions.modules`). It is this
 * one where it can load a uWebSockets.js; else a Node 20 that npm brings, once, into a folder beside this file. The
 * decision is made, and said, before anything is installed.
 *
 * A Node from npm becomes the `node` of the PATH for all that this process starts: npx, pnpm, turbo, jest.
 * @returns {Promise<{ path: string, abi: string }>}
 */
export async function chooseNode() {
  const { lack, isHopeless } = lackOf(thisMachine());
  if (!lack) return { path: process.execPath, abi: versions.modules };
  if (isHopeless) fail(lack);
  const [name, version] = nodeFromNpm() ?? fail(`${lack}: install Node 20, 22 or 24`);
  process.stdout.write(`${lack}: all of this runs on Node ${version} from npm (${name})\n`);
  const path = join(root, folder, 'node_modules', name, 'bin/node');
  if (!runs(path, version)) {
    const npm = ['npm', 'ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
    await step(`installing Node ${version}`, npm);
    if (!runs(path, version))
      fail(`${lack}, and Node ${version} from npm does not start here: install Node 20`);
  }
  process.env.PATH = `${dirname(path)}${delimiter}${process.env.PATH ?? ''}`;
  return { path, abi: '115' };
}

/**
 * @param {{ node: string, abi: number, system: string, glibc: string | undefined, isLinux: boolean }} machine
 * @returns {{ lack?: string, isHopeless?: boolean }} why uWebSockets.js cannot be loaded; hopeless if no Node could
 */
export function lackOf({ node, abi, system, glibc, isLinux }) {
  const releases = JSON.parse(readFileSync(join(root, 'packages/uws/releases.json'), 'utf8'));
  const here = releases.filter((release) => release.platforms.includes(system));
  if (here.length === 0) {
    const systems = [...new Set(releases.flatMap((release) => release.platforms))].join(', ');
    return { lack: `uWebSockets.js has no binary for ${system}, only for ${systems}`, isHopeless: true };
  }
  const loadable = here.filter((release) => !isLinux || (glibc && isAtLeast(glibc, release.glibc)));
  if (loadable.length === 0) {
    const has = glibc ? `glibc ${glibc}` : 'no glibc (Alpine and other systems with musl)';
    const lack = `uWebSockets.js needs glibc ${here.at(-1).glibc}, and this machine has ${has}`;
    return {
      lack: `${lack}: use Debian 12, Ubuntu 22.04 or newer, or a container of them`,
      isHopeless: true,
    };
  }
  if (!isAtLeast(node, least)) return { lack: `Node ${least} or newer is needed, and this is ${node}` };
  if (loadable.some((release) => release.abis.includes(abi))) return {};
  const where = glibc ? ` with glibc ${glibc}` : '';
  return { lack: `uWebSockets.js has no binary for Node ${node} on ${system}${where}` };
}

function thisMachine() {
  return {
    node: versions.node,
    abi: Number(versions.modules),
    system: `${platform}-${arch}`,
    isLinux: platform === 'linux',
    glibc: process.report.getReport().header.glibcVersionRuntime,
  };
}

/** Name and version of the package that has a Node for this system. */
function nodeFromNpm() {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const name = `node-${platform}-${arch}`;
  return Object.entries(manifest.optionalDependencies).find(([known]) => known === name);
}

function runs(path, version) {
  return existsSync(path) && spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout === `v${version}\n`;
}

function isAtLeast(version, wanted) {
  const [major, minor] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = wanted.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

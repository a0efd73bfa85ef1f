import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { root as repository } from '../step.mjs';
import { runIn } from './namespace.mjs';

export const suites = { 12: 'bookworm', 13: 'trixie' };

/** Where the clone is, in every root. */
export const clone = '/srv/hooligram';
const person = { uid: 1000, gid: 1000, home: '/home/person' };
const superuser = { uid: 0, gid: 0, home: '/root' };

/**
 * Makes a root of its own for a try: Debian, a Node, an account and a clean clone of the last commit.
 * @param {{ debian: string, node: string, user: string }} place
 * @param {string} dir where everything is kept; what is the same for all tries is made once
 */
export async function prepareRoot({ debian, node, user }, dir) {
  mkdirSync(dir, { recursive: true });
  const base = baseOf(debian, dir);
  const nodeProgram = nodeOf(node, dir);
  const path = join(dir, 'roots', `${debian}-${node}-${user}`);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(dirname(path), { recursive: true });
  run('cp', ['-a', '--reflink=auto', base, path]);
  copyFileSync(nodeProgram, join(path, 'usr/local/bin/node'));
  copyNpm(path);
  for (const file of ['/etc/resolv.conf', '/etc/hosts', process.env.NODE_EXTRA_CA_CERTS].filter(existing)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    copyFileSync(file, join(path, file));
  }
  run('git', ['clone', '--quiet', '--no-hardlinks', repository, join(path, clone)]);
  const account = user === 'root' ? superuser : person;
  const root = { path, account, log: join(dir, `${debian}-${node}-${user}.log`) };
  rmSync(root.log, { force: true });
  if (user !== 'root') await addPerson(root);
  return root;
}

function baseOf(debian, dir) {
  const base = join(dir, `debian-${debian}`);
  if (existsSync(base)) return base;
  const unfinished = `${base}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  run('debootstrap', [
    '--variant=minbase',
    '--include=ca-certificates',
    suites[debian],
    unfinished,
    debianMirror(),
  ]);
  // No package starts a service in here.
  writeFileSync(join(unfinished, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  renameSync(unfinished, base);
  return base;
}

/** The one that this machine's apt uses. */
function debianMirror() {
  const format = '$(LABEL) $(REPO_URI)';
  const targets = run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const [, mirror] = /^Debian (\S+)$/m.exec(targets) ?? [];
  if (!mirror) throw new Error("apt's sources on this machine name no mirror of Debian");
  return mirror;
}

/** The newest Node of that version in npm's package "node". */
function nodeOf(version, dir) {
  const folder = join(dir, `node-${version}`);
  const program = join(folder, 'node_modules/node/bin/node');
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-save', `node@${version}`]);
  }
  return program;
}

/** The npm of this machine, and the registry that it uses. */
function copyNpm(path) {
  const modules = join(path, 'usr/local/lib/node_modules');
  cpSync(join(run('npm', ['root', '--global']).trim(), 'npm'), join(modules, 'npm'), { recursive: true });
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(path, 'usr/local/bin', name));
  }
  mkdirSync(join(path, 'usr/local/etc'), { recursive: true });
  writeFileSync(
    join(path, 'usr/local/etc/npmrc'),
    `registry=${run('npm', ['config', 'get', 'registry']).trim()}\n`,
  );
}

/** A user who may install nothing. What README.md asks for is installed before. */
async function addPerson(root) {
  const packages = 'redis-server haproxy chromium';
  const commands = [
    `useradd --create-home --uid ${person.uid} person`,
    `chown -R person:person ${clone}`,
    `apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${packages}`,
  ];
  const asRoot = { ...root, account: superuser };
  const { code } = await runIn(asRoot, ['sh', '-ec', commands.join('\n')], { timeoutMs: 600_000 });
  if (code !== 0) throw new Error(`the account could not be prepared: see ${root.log}`);
}

function existing(file) {
  return file && existsSync(file) && readFileSync(file).length > 0;
}

function run(program, args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${program} ${args.join(' ')}: ${error.stderr || error.message}`);
  }
}

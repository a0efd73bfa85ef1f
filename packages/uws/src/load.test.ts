import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { loadUws, runnableUws, uwsChoices } from './load.ts';
import { fits, type Machine, releases } from './releases.ts';

const resolve = createRequire(join(process.cwd(), 'packages/uws/package.json')).resolve;

function binariesOf(release: (typeof releases)[number]): string {
  return join(dirname(resolve(release.package)), release.root, release.binaries);
}

test.each(releases)('$name has a binary for each machine that it is said to have one for', (release) => {
  const files = readdirSync(binariesOf(release));
  for (const platform of release.platforms) {
    for (const abi of release.abis) expect(files).toContain(`uws_${platform.replace('-', '_')}_${abi}.node`);
  }
});

test.each(releases)('no binary of $name needs a newer glibc than is said', (release) => {
  const folder = binariesOf(release);
  const minors = release.platforms
    .filter((platform) => platform.startsWith('linux'))
    .flatMap((platform) => release.abis.map((abi) => `uws_${platform.replace('-', '_')}_${abi}.node`))
    .flatMap((file) => [...readFileSync(join(folder, file), 'latin1').matchAll(/\0GLIBC_2\.(\d+)/g)])
    .map(([, minor]) => Number(minor));
  expect(minors.length).toBeGreaterThan(0);
  expect(Math.max(...minors)).toBeLessThanOrEqual(Number(release.glibc.split('.')[1]));
});

test('what is loaded here is the best that fits this machine, and no server in JavaScript', () => {
  const [best = ''] = runnableUws();
  const { uWS, version } = loadUws();
  expect(version.startsWith(`${best}.`)).toBe(true);
  expect(Function.prototype.toString.call(uWS.App)).toContain('[native code]');
});

test('a release that this machine cannot load is refused in one line, and nothing is printed before', () => {
  const [odd] = uwsChoices.slice(1).filter((choice) => !runnableUws().includes(choice));
  const choice = odd ?? 'none of them';
  expect(() => loadUws(choice)).toThrow(
    new RegExp(
      `^uWebSockets\\.js "${choice}" has no binary for Node [\\d.]+ on \\S+ \\S+( with glibc 2\\.\\d+)?; see docs/operations`,
    ),
  );
});

const debian12: Machine = { platform: 'linux', arch: 'x64', abi: 115, glibc: '2.36' };

test.each([
  ['Node 20 on Debian 12', debian12, ['20.30']],
  ['Node 22 on Debian 12', { ...debian12, abi: 127 }, []],
  ['Node 24 on Debian 12', { ...debian12, abi: 137 }, []],
  ['Node 20 on Debian 13', { ...debian12, glibc: '2.41' }, ['20.57', '20.30']],
  ['Node 22 on Debian 13', { ...debian12, abi: 127, glibc: '2.41' }, ['20.57']],
  ['Node 24 on Debian 13, arm64', { ...debian12, arch: 'arm64', abi: 137, glibc: '2.41' }, ['20.57']],
  ['Node 24 on macOS', { platform: 'darwin', arch: 'arm64', abi: 137, glibc: undefined }, ['20.57']],
  ['Node 20 on Alpine', { ...debian12, glibc: undefined }, []],
  ['Node 20 on Windows', { platform: 'win32', arch: 'x64', abi: 115, glibc: undefined }, []],
])('%s can load %j', (_, machine, names) => {
  expect(releases.filter((release) => fits(release, machine)).map(({ name }) => name)).toEqual(names);
});

/** What infra/local/node.mjs decides before anything is installed. */
function decided(machine: object): { lack?: string; isHopeless?: boolean } {
  const program = `import { lackOf } from './infra/local/node.mjs';
    process.stdout.write(JSON.stringify(lackOf(JSON.parse(process.argv[1]))));`;
  const args = ['--input-type=module', '-e', program, JSON.stringify(machine)];
  return JSON.parse(
    execFileSync(process.execPath, args, { encoding: 'utf8', env: { PATH: process.env.PATH } }),
  );
}

const linux = { node: '24.21.0', abi: 137, system: 'linux-x64', glibc: '2.41', isLinux: true };

test.each([
  ['Node 24 on Debian 13 goes on', linux, undefined, undefined],
  [
    'Node 20 on Debian 12 goes on',
    { ...linux, node: '20.20.2', abi: 115, glibc: '2.36' },
    undefined,
    undefined,
  ],
  [
    'Node 24 on Debian 12 is replaced',
    { ...linux, glibc: '2.36' },
    /no binary for Node 24\.21\.0 .*glibc 2\.36$/,
    false,
  ],
  ['Node 18 is replaced', { ...linux, node: '18.20.4', abi: 108 }, /Node 20\.19 or newer is needed/, false],
  ['Node 26 is replaced', { ...linux, node: '26.1.0', abi: 147 }, /no binary for Node 26/, false],
  ['Alpine is told to use something else', { ...linux, glibc: undefined }, /musl.*Debian 12/, true],
  [
    'an old glibc is told to use something else',
    { ...linux, glibc: '2.17' },
    /glibc 2\.28, .* glibc 2\.17/,
    true,
  ],
  [
    'Windows is told where it works',
    { ...linux, system: 'win32-x64', isLinux: false },
    /only for linux-x64/,
    true,
  ],
])('before anything is installed: %s', (_, machine, lack, isHopeless) => {
  const decision = decided(machine);
  if (lack) expect(decision.lack).toMatch(lack);
  else expect(decision).toEqual({});
  expect(decision.isHopeless ?? false).toBe(isHopeless ?? false);
});

test('before anything is installed: Node 16 ends with the line that says what to install', () => {
  const program = `Object.defineProperty(process, 'versions', { value: { node: '16.20.2' } });
    require('./infra/local/run.cjs');`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=commonjs', '-e', program], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  expect(stderr).toBe('Node 20.19 or newer is needed, and this is 16.20.2: install Node 20, 22 or 24\n');
  expect([status, stdout]).toEqual([1, '']);
});

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Beside the repository's own data, so that each is fetched once. */
const folder = fileURLToPath(new URL('../../../.data-nodes/', import.meta.url));

/**
 * A Node of another version, which npm brings; this one, if it has the version's major number.
 * @param version such as `22.23.3`
 * @returns the path of the program
 */
export function nodeOf(version: string): string {
  if (process.versions.node.split('.')[0] === version.split('.')[0]) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const dir = join(folder, version);
  const program = join(dir, 'node_modules', name, 'bin/node');
  if (existsSync(program)) return program;
  // It gets its name when it is complete: another run may look for it meanwhile.
  const unnamed = `${dir}.${process.pid}`;
  mkdirSync(unnamed, { recursive: true });
  // Without a package of its own here, npm takes the repository's, which it cannot read.
  writeFileSync(join(unnamed, 'package.json'), '{"private":true}\n');
  run(
    'npm',
    [
      'install',
      '--prefer-offline',
      '--no-save',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      `${name}@${version}`,
    ],
    unnamed,
  );
  try {
    renameSync(unnamed, dir);
  } catch {
    rmSync(unnamed, { recursive: true });
  }
  return program;
}

/** @returns what it printed @throws with what it printed when it fails */
export function run(program: string, args: readonly string[], cwd: string): string {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? ''}\n${stdout}${stderr}`);
}

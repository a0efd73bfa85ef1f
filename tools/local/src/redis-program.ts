import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { canInstallDebianPackages, installDebianPackage } from './debian-package.ts';
import { StartError } from './start-error.ts';

export interface RedisProgram {
  readonly path: string;
  /** The name under which it must be called to be a server. */
  readonly argv0: string;
}

/**
 * Finds a Redis or a Valkey server; on Debian and Ubuntu, root installs one.
 * @throws StartError with the command that gets one on this system
 */
export async function redisProgram(log: (line: string) => void): Promise<RedisProgram> {
  const found = findRedis();
  if (found) return found;
  if (canInstallDebianPackages()) return installRedis(log);
  throw new StartError(`no redis-server or valkey-server found: ${howToInstall()}, or set REDIS_URL`);
}

function findRedis(): RedisProgram | undefined {
  for (const name of ['redis-server', 'valkey-server']) {
    const path = onPath(name);
    if (path) return { path, argv0: name };
  }
  // In Debian's packages server and checker are one program, told apart by the name it is called with, and
  // it comes with redis-tools; the package redis-server adds the link and a system service.
  const checker = onPath('redis-check-rdb');
  return checker ? { path: checker, argv0: 'redis-server' } : undefined;
}

/** Installs redis-tools: the program alone, without the service that redis-server would start and enable. */
async function installRedis(log: (line: string) => void): Promise<RedisProgram> {
  log('no redis-server found: installing the package redis-tools with apt-get');
  try {
    await installDebianPackage('redis-tools');
  } catch (error) {
    throw new StartError((error as Error).message);
  }
  const found = findRedis();
  if (!found || !isServer(found)) {
    throw new StartError(`redis-tools brought no server: ${howToInstall()}, or set REDIS_URL`);
  }
  return found;
}

function isServer({ path, argv0 }: RedisProgram): boolean {
  return /server/i.test(spawnSync(path, ['--version'], { argv0, encoding: 'utf8' }).stdout);
}

function onPath(name: string): string | undefined {
  const dirs = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/bin',
    '/usr/local/bin',
    '/opt/homebrew/bin',
  ];
  return dirs.map((dir) => join(dir, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function howToInstall(): string {
  if (process.platform === 'darwin') return 'install it with: brew install redis';
  if (existsSync('/usr/bin/apt-get')) return 'install it with: sudo apt-get install redis-server';
  if (existsSync('/usr/bin/dnf')) return 'install it with: sudo dnf install redis';
  if (existsSync('/sbin/apk')) return 'install it with: apk add redis';
  return 'install Redis or Valkey with the package manager of your system';
}

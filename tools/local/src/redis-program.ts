import { spawnSync } from 'node:child_process';
import { findOrInstall, findProgram } from './program.ts';
import { StartError } from './start-error.ts';

export type RedisProgram = {
  readonly path: string;
  /** The name under which it must be called to be a server. */
  readonly argv0: string;
};

/**
 * Finds a Redis or a Valkey server; on Debian and Ubuntu, root installs the package redis-tools: the program alone,
 * without the service that redis-server would start and enable.
 * @throws StartError with the command that installs one on this system
 */
export function redisProgram(log: (line: string) => void): Promise<RedisProgram> {
  return findOrInstall({
    name: 'redis-server or valkey-server',
    find: findRedis,
    debianPackage: 'redis-tools',
    packages: { brew: 'redis', apt: 'redis-server', dnf: 'redis', apk: 'redis' },
    instead: 'set REDIS_URL',
    log,
  });
}

/** Sharded channels, and ranges of slots, are of Redis 7; Valkey began with it. */
const clusterVersion = 7;

/**
 * Checks that the server is new enough for a cluster.
 * @throws StartError with what it is, and what to do
 */
export async function checkClusterProgram(log: (line: string) => void): Promise<void> {
  const program = await redisProgram(log);
  const text = versionText(program);
  const [, version = '', major = '0'] = /\bv=((\d+)\S*)/.exec(text) ?? [];
  if (Number(major) >= clusterVersion) return;
  const found = version === '' ? `is of no version that it tells: ${text.trim()}` : `is ${version}`;
  throw new StartError(
    `--redis cluster needs Redis ${clusterVersion} or later, and ${program.path} ${found}: update it, or start with --redis 3`,
  );
}

function findRedis(): RedisProgram | undefined {
  for (const name of ['redis-server', 'valkey-server']) {
    const path = findProgram(name);
    if (path) return { path, argv0: name };
  }
  // In Debian's packages server and checker are one program, told apart by the name it is called with, and it comes with
  // redis-tools; the package redis-server adds the link and a system service.
  const path = findProgram('redis-check-rdb');
  return path && isServer(path) ? { path, argv0: 'redis-server' } : undefined;
}

function isServer(path: string): boolean {
  return /server/i.test(versionText({ path, argv0: 'redis-server' }));
}

function versionText({ path, argv0 }: RedisProgram): string {
  return spawnSync(path, ['--version'], { argv0, encoding: 'utf8' }).stdout;
}

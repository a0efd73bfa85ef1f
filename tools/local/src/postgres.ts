import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Client } from 'pg';
import { onPostgres } from './on-postgres.ts';
import { freePort } from './ports.ts';
import { commandOf } from './postgres-account.ts';
import { openCluster, type PostgresCluster, postgresEnv, superuser } from './postgres-cluster.ts';
import { postgresPrograms } from './postgres-programs.ts';
import { commandLine } from './process-identity.ts';
import type { ProcessSpec } from './running-process.ts';
import { StartError } from './start-error.ts';
import { type Store, type StoreOptions, startStore } from './store.ts';

const database = 'hooligram';
const selectOne = (client: Client) => client.query('SELECT 1');

export type PostgresOptions = StoreOptions & {
  /** Survives a power cut. Off only for tests, whose data are thrown away. Default true. */
  readonly durable?: boolean;
  /** Default 100. */
  readonly connectionsMax?: number;
};

/**
 * Starts a Postgres in `<dataDir>/postgres`, made at the first start and kept from then on, with
 * an empty database and a random password. It listens on the loopback address only.
 * @returns when it takes connections
 * @throws StartError
 */
export async function startPostgres(options: PostgresOptions): Promise<Store> {
  const programs = postgresPrograms();
  const cluster = await openCluster(resolve(options.dataDir, 'postgres'), programs, options.durable ?? true);
  const port = await freePort(options.port);
  const urlOf = (name: string) => `postgresql://${superuser}:${cluster.password}@127.0.0.1:${port}/${name}`;
  const spec = postgresSpec(options, programs.postgres, cluster, port);
  const isReady = async () => (await onPostgres(urlOf('postgres'), selectOne)).rowCount === 1;
  return startStore(spec, urlOf(database), isReady, options, () => removeStalePidFile(cluster.dir));
}

/** @throws StartError when the database of that url does not answer */
export async function checkPostgres(url: string): Promise<void> {
  try {
    await onPostgres(url, selectOne);
  } catch (error) {
    // The server is there, and migrate makes the database.
    if ((error as NodeJS.ErrnoException).code === '3D000') return;
    throw new StartError(`DATABASE_URL: ${withoutPassword(url)} does not answer: ${reason(error)}`);
  }
}

function postgresSpec(
  options: PostgresOptions,
  program: string,
  cluster: PostgresCluster,
  port: number,
): ProcessSpec {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: options.connectionsMax ?? 100,
    log_line_prefix: '%m ',
    log_checkpoints: 'off',
    ...(options.durable === false
      ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }
      : {}),
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return {
    name: 'postgres',
    ...commandOf(cluster.account, program, ['-D', cluster.dir, ...args]),
    env: postgresEnv,
    logFile: join(options.logDir, 'postgres.log'),
    // Fast shutdown: sessions are ended, everything is written.
    stopSignal: 'SIGINT',
    stopTimeoutMs: 20_000,
    detached: true,
  };
}

/** Postgres refuses to start over a pid file left by SIGKILL when another process has its pid by now. */
function removeStalePidFile(clusterDir: string): void {
  const file = join(clusterDir, 'postmaster.pid');
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    if (!commandLine(pid).includes(clusterDir)) rmSync(file);
  } catch {
    // None there.
  }
}

function withoutPassword(url: string): string {
  // A password with an "@" in it ends at the last one.
  return url.replace(/(\/\/[^:/@]*):.*@/, '$1:***@');
}

function reason(error: unknown): string {
  // Connecting to a name with several addresses fails with an aggregate that has no message of its own.
  const { message, code } = error as NodeJS.ErrnoException;
  return message || code || String(error);
}

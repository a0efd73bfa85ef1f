import { execFile } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { migrate } from '@hooligram/db';
import { onPostgres, recordProcess, startPostgres } from '@hooligram/local';
import type { Certificate } from './certificates.ts';
import { freePorts } from './free-ports.ts';
import { patienceMs } from './patience.ts';
import { logDir, pidsDir, testRunDir } from './test-run.ts';

/** A Postgres that a test has to itself: to be killed, copied, and started again from a copy. */
export type OwnPostgres = {
  /** The folder of its files. */
  readonly dir: string;
  /** Of the database `hooligram`. */
  readonly url: string;
  /** @param database default: `hooligram` */
  query<R extends object>(sql: string, values?: readonly unknown[], database?: string): Promise<R[]>;
  /** Ends it as an administrator does: everything is written. */
  stop(): Promise<void>;
  /** Kills it: what was committed is in its write-ahead log, nothing more is sent to its standbys. */
  crash(): Promise<void>;
};

type CopyOptions = {
  /** Follows this one, until it is promoted. */
  readonly standbyOf?: OwnPostgres;
  /** Recovers what this one wrote, to a place in its write-ahead log, and goes on from there. */
  readonly recover?: { readonly from: OwnPostgres; readonly toLsn: string };
};

const run = promisify(execFile);

/** A new one, with the migrated database `hooligram`. */
export async function ownPostgres(): Promise<OwnPostgres> {
  const postgres = await start(newFolder());
  await migrate({ url: postgres.url });
  return postgres;
}

/** Starts it again with the same files, elsewhere. */
export function restartPostgres(postgres: OwnPostgres): Promise<OwnPostgres> {
  return start(folderOf(postgres));
}

/**
 * Copies the files of a stopped one.
 * @returns the folder, for `startCopy`
 */
export async function copyFiles(postgres: OwnPostgres): Promise<string> {
  const folder = newFolder();
  await run('cp', ['-a', join(folderOf(postgres), 'postgres'), folder]);
  return folder;
}

/**
 * Copies the files of a running one, as a base backup.
 * @returns the folder, for `startCopy` with what to recover
 */
export async function backUp(postgres: OwnPostgres): Promise<string> {
  const copy = async (client: Parameters<Parameters<typeof onPostgres>[1]>[0]) => {
    await client.query(`SELECT pg_backup_start('a test', true)`);
    const folder = await copyFiles(postgres).catch((error: unknown) => {
      throw new Error('the files changed while they were copied', { cause: error });
    });
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    addFile(folder, 'backup_label', rows[0]?.labelfile ?? '');
    return folder;
  };
  return onPostgres(postgres.url, copy, patienceMs);
}

export async function startCopy(
  folder: string,
  { standbyOf, recover }: CopyOptions = {},
): Promise<OwnPostgres> {
  const set = (settings: Record<string, string>) => {
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`);
    addFile(folder, 'postgresql.auto.conf', lines.join(''));
  };
  if (standbyOf) {
    const { hostname, port, username, password } = new URL(standbyOf.url);
    set({ primary_conninfo: `host=${hostname} port=${port} user=${username} password=${password}` });
    addFile(folder, 'standby.signal', '');
  }
  if (recover) {
    set({
      restore_command: `cp "${recover.from.dir}/pg_wal/%f" "%p"`,
      recovery_target_lsn: recover.toLsn,
      recovery_target_action: 'promote',
    });
    addFile(folder, 'recovery.signal', '');
  }
  return start(folder);
}

/** Has it take only encrypted connections from now on. @returns its url, with which it is also known */
export async function requireTls(postgres: OwnPostgres, { certFile, keyFile }: Certificate): Promise<string> {
  const folder = folderOf(postgres);
  addFile(folder, 'server.crt', readFileSync(certFile, 'utf8'));
  addFile(folder, 'server.key', readFileSync(keyFile, 'utf8'));
  chmodSync(join(postgres.dir, 'server.key'), 0o600);
  const access = join(postgres.dir, 'pg_hba.conf');
  writeFileSync(access, readFileSync(access, 'utf8').replace(/^host(?=\s)/gm, 'hostssl'));
  await postgres.query('ALTER SYSTEM SET ssl = on');
  await postgres.query('SELECT pg_reload_conf()');
  return `${postgres.url}?sslmode=verify-full&sslrootcert=${certFile}`;
}

async function start(folder: string): Promise<OwnPostgres> {
  const [port = 0] = await freePorts(1);
  let pid = 0;
  const store = await startPostgres({
    dataDir: folder,
    logDir: logDir(),
    port,
    restart: false,
    onPid(started) {
      pid = started;
      recordProcess(pidsDir(), `own-postgres-${started}`, started, 'SIGQUIT');
    },
  });
  return {
    dir: join(folder, 'postgres/cluster'),
    url: store.url,
    async query<R extends object>(sql: string, values: readonly unknown[] = [], database?: string) {
      const url = new URL(store.url);
      if (database) url.pathname = `/${database}`;
      return (await onPostgres(url.href, (client) => client.query<R>(sql, [...values]), patienceMs)).rows;
    },
    stop: () => store.stop(),
    async crash() {
      process.kill(pid, 'SIGQUIT');
      await store.stop();
    },
  };
}

function addFile(folder: string, name: string, text: string): void {
  const cluster = join(folder, 'postgres/cluster');
  const file = join(cluster, name);
  appendFileSync(file, text);
  const { uid, gid } = statSync(cluster);
  chownSync(file, uid, gid);
}

function newFolder(): string {
  const folder = mkdtempSync(join(testRunDir(), 'own-postgres-'));
  // Postgres runs as another user when this one is root.
  chmodSync(folder, 0o755);
  return folder;
}

function folderOf({ dir }: OwnPostgres): string {
  return join(dir, '../..');
}

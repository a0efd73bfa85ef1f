import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { commandOf, type PostgresAccount, postgresAccount } from './postgres-account.ts';
import type { PostgresPrograms } from './postgres-programs.ts';
import { StartError } from './start-error.ts';

export const superuser = 'hooligram';

/** The system's own environment must not reach Postgres: PGDATA, PGPORT and locales would change its ways. */
export const postgresEnv = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

export type PostgresCluster = {
  readonly dir: string;
  readonly account: PostgresAccount;
  readonly password: string;
};

/** Opens the cluster in a folder, which is made at the first start. */
export async function openCluster(
  folder: string,
  programs: PostgresPrograms,
  durable: boolean,
): Promise<PostgresCluster> {
  const dir = join(folder, 'cluster');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(dir)) await makeCluster(folder, dir, programs, durable);
  return {
    dir,
    account: postgresAccount(dir, Object.values(programs)),
    password: readFileSync(join(folder, 'password'), 'utf8'),
  };
}

async function makeCluster(
  folder: string,
  dir: string,
  programs: PostgresPrograms,
  durable: boolean,
): Promise<void> {
  // Under another name until it is whole: initdb may be interrupted.
  const unfinished = `${dir}.new`;
  const password = randomBytes(18).toString('base64url');
  const passwordFile = join(folder, 'password');
  const passwordForInitdb = `${passwordFile}.initdb`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  writeFileSync(passwordForInitdb, password, { mode: 0o600 });
  const account = postgresAccount(unfinished, Object.values(programs));
  if (account.uid !== undefined) chownSync(passwordForInitdb, account.uid, account.gid);
  const args = [
    `--pgdata=${unfinished}`,
    `--username=${superuser}`,
    `--pwfile=${passwordForInitdb}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ];
  const { command, args: all, ...ids } = commandOf(account, programs.initdb, args);
  try {
    await promisify(execFile)(command, all, { ...ids, env: postgresEnv });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new StartError(`initdb failed in ${unfinished}: ${(stderr || message).trim()}`);
  } finally {
    rmSync(passwordForInitdb, { force: true });
  }
  renameSync(unfinished, dir);
}

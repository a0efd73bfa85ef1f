import { execFileSync } from 'node:child_process';
import { accessSync, chownSync, constants, existsSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from './start-error.ts';

/** How a Postgres program is run on a cluster's folder: directly, or by root for an account that is not root. */
export type PostgresAccount = (
  | { readonly uid: number; readonly gid: number }
  | { readonly uid?: undefined; readonly gid?: undefined }
) & {
  /** What stands before the command. */
  readonly prefix: readonly string[];
};

export function commandOf({ prefix, uid, gid }: PostgresAccount, program: string, args: readonly string[]) {
  const [command = program, ...rest] = [...prefix, program, ...args];
  return { command, args: rest, ...(prefix.length === 0 && uid !== undefined ? { uid, gid } : {}) };
}

/**
 * Postgres refuses to run as root. So root runs it for the account that owns the cluster, else `postgres`
 * if the system has it, else `nobody`; no account is created.
 *
 * Such an account cannot always reach the data folder (a clone in /root, a `mktemp -d`). The modes of the user's folders
 * stay as they are; on Linux the programs get one capability of root, to pass by file permissions, and no other.
 */
export function postgresAccount(clusterDir: string, programs: readonly string[]): PostgresAccount {
  mkdirSync(clusterDir, { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0) {
    const { uid } = lstatSync(clusterDir);
    if (uid !== process.getuid?.()) {
      throw new StartError(`${clusterDir} belongs to another user (uid ${uid}): choose another --data-dir`);
    }
    return { prefix: [] };
  }
  const { uid, gid } = ownerOf(clusterDir);
  chownSync(clusterDir, uid, gid);
  if ([clusterDir, ...programs].every((path) => canReach(path, uid, gid))) return { uid, gid, prefix: [] };
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  if (!setpriv) {
    throw new StartError(
      `Postgres cannot run as root, and uid ${uid} cannot reach ${clusterDir}: choose a --data-dir outside of private folders, or set DATABASE_URL`,
    );
  }
  const capability = ['--inh-caps', '+dac_override', '--ambient-caps', '+dac_override'];
  const account = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups', ...capability];
  // Every account can reach the shell; only after it has been executed is the capability in effect.
  // Without no_setuid_fixup access(2), by which initdb looks for its programs, would ignore it.
  const command = ['--securebits', '+no_setuid_fixup', '--', '/bin/sh', '-c', 'exec "$@"', 'sh'];
  return { prefix: [setpriv, ...account, ...command] };
}

function ownerOf(clusterDir: string): { uid: number; gid: number } {
  const { uid, gid } = statSync(clusterDir);
  if (uid !== 0) return { uid, gid };
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // No such account; the next.
    }
  }
  throw new StartError('Postgres cannot run as root, and there is no account nobody: set DATABASE_URL');
}

function canReach(path: string, uid: number, gid: number): boolean {
  accessSync(path, constants.F_OK);
  for (let dir = dirname(path); ; dir = dirname(dir)) {
    const stat = statSync(dir);
    const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0;
    if (((stat.mode >> shift) & 1) === 0) return false;
    if (dir === dirname(dir)) return true;
  }
}

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
// By path: they depend on this package, or on what depends on it, so this one cannot name them.
import { findOrInstall, findProgram } from '../../../tools/local/src/program.ts';
import { freePorts } from '../../../tools/testkit/src/free-ports.ts';
import { startPatienceMs } from '../../../tools/testkit/src/patience.ts';

export type PgBouncer = {
  /** The database in session mode, and in transaction mode. */
  readonly session: string;
  readonly transaction: string;
  stop(): Promise<void>;
};

/** PgBouncer in front of one database, in both modes. */
export async function startPgBouncer(databaseUrl: string): Promise<PgBouncer> {
  const find = () => findProgram('pgbouncer');
  const program = await findOrInstall({ name: 'pgbouncer', find, debianPackage: 'pgbouncer' });
  const [port = 0] = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), 'hooligram-pgbouncer-'));
  chmodSync(folder, 0o755);
  const config = join(folder, 'pgbouncer.ini');
  writeFileSync(config, configOf(new URL(databaseUrl), port));
  const bouncer = spawn(program, [config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(bouncer, 'exit');
  await saysItIsUp(bouncer);
  const urlOf = (name: string) => `postgresql://anybody@127.0.0.1:${port}/${name}`;
  return {
    session: urlOf('session'),
    transaction: urlOf('transaction'),
    async stop() {
      bouncer.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configOf({ hostname, port: serverPort, pathname, username, password }: URL, port: number): string {
  const server = `host=${hostname} port=${serverPort} dbname=${pathname.slice(1)} user=${username} password=${password}`;
  return `
    [databases]
    session = ${server} pool_mode=session
    transaction = ${server} pool_mode=transaction
    [pgbouncer]
    listen_addr = 127.0.0.1
    listen_port = ${port}
    unix_socket_dir =
    auth_type = any
    ${process.getuid?.() === 0 ? 'user = nobody' : ''}
  `.replaceAll(/^ +/gm, '');
}

/** @throws when it ends first, or takes too long */
function saysItIsUp(bouncer: ChildProcessByStdio<null, null, Readable>): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const giveUp = () => {
      clearTimeout(timer);
      reject(new Error(`pgbouncer is not up: ${said}`));
    };
    const timer = setTimeout(giveUp, startPatienceMs);
    bouncer.once('close', giveUp);
    bouncer.stderr.on('data', (text) => {
      said += text;
      if (!said.includes('process up')) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

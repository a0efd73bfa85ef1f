import { execFile } from 'node:child_process';
import { appendFileSync, chownSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { now } from '../load/clock.ts';
import { childrenOf, send } from './children.ts';
import type { HarmContext } from './harm.ts';
import { postgresPart, restarted } from './part.ts';

const lostMs = 4_000;
const pollMs = 50;
const run = promisify(execFile);

/**
 * Has Postgres go on from a backup of some seconds ago, as a standby that is promoted before it had everything: what
 * was committed since is gone, and the write-ahead log has another timeline.
 */
export async function restorePostgres(context: HarmContext): Promise<void> {
  const { ledger, log, signal } = context;
  const { url } = context.stack().postgres;
  const pid = postgresPart.pid(context.stack());
  const from = now();
  const { dir, copy } = await backUp(url);
  const gone = `${dir}.gone`;
  try {
    await pause(lostMs, undefined, { signal });
    log(`postgres (pid ${pid}) goes back to what it was ${Math.round(now() - from)} ms ago`);
    // Its launcher must not be faster than we are.
    send(pid, 'SIGSTOP');
    for (const child of childrenOf(pid)) send(child, 'SIGKILL');
    renameSync(dir, gone);
    renameSync(copy, dir);
    send(pid, 'SIGKILL');
    await restarted(context, postgresPart, pid);
    while (await isRecovering(url)) await pause(pollMs, undefined, { signal });
    ledger.losses.push({ from, to: now() });
  } finally {
    for (const path of [gone, copy]) rmSync(path, { recursive: true, force: true });
  }
}

/** @returns the folder of the files, and that of a copy which recovers to this moment and begins a timeline */
async function backUp(url: string): Promise<{ dir: string; copy: string }> {
  return withClient(url, async (client) => {
    const dir = String((await client.query('SHOW data_directory')).rows[0]?.data_directory);
    const copy = `${dir}.copy`;
    rmSync(copy, { recursive: true, force: true });
    await client.query(`SELECT pg_backup_start('chaos', true)`);
    await copyFiles(dir, copy);
    const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop(false)');
    // The log up to here, without which the other files are none of one moment.
    await copyFiles(`${dir}/pg_wal/.`, join(copy, 'pg_wal'));
    rmSync(join(copy, 'postmaster.pid'), { force: true });
    const { uid, gid } = statSync(dir);
    const files = {
      backup_label: String(rows[0]?.labelfile),
      'recovery.signal': '',
      'postgresql.auto.conf': `restore_command = 'false'\n`,
    };
    for (const [name, text] of Object.entries(files)) {
      appendFileSync(join(copy, name), text);
      chownSync(join(copy, name), uid, gid);
    }
    return { dir, copy };
  });
}

/** Files of a running server may go while they are copied: what is missing then, the log has. */
async function copyFiles(from: string, to: string): Promise<void> {
  await run('cp', ['-a', from, to]).catch((error: { stderr?: string }) => {
    if (!/^(cp: [^\n]*No such file or directory\n)+$/.test(error.stderr ?? '')) throw error;
  });
}

async function isRecovering(url: string): Promise<boolean> {
  return withClient(url, async (client) => {
    const { rows } = await client.query('SELECT pg_is_in_recovery() AS is_recovering');
    return rows[0]?.is_recovering === true;
  }).catch(() => true);
}

async function withClient<T>(url: string, ask: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await ask(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

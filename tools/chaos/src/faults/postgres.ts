import { execFile } from 'node:child_process';
import { appendFileSync, chownSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { onPostgres } from '@hooligram/local';
import { postgres, restarted } from './component.ts';
import type { FaultContext } from './fault.ts';
import { childrenOf, sendSignal } from './signals.ts';

const lostMs = 4_000;
const pollMs = 50;
const run = promisify(execFile);

/**
 * Has Postgres go on from a backup of some seconds ago, as a standby that is promoted before it has received everything.
 * Later commits are gone, and the write-ahead log has another timeline.
 */
export async function restorePostgres(context: FaultContext): Promise<void> {
  const { history, log, signal } = context;
  const { url } = context.stack().postgres;
  const pid = postgres.pid(context.stack());
  const from = performance.now();
  const { dir, copy } = await backUp(url);
  const gone = `${dir}.gone`;
  try {
    await pause(lostMs, undefined, { signal });
    log(`postgres (pid ${pid}) goes back to what it was ${Math.round(performance.now() - from)} ms ago`);
    // Frozen, so that the launcher does not restart it before its files are exchanged.
    sendSignal(pid, 'SIGSTOP');
    for (const child of childrenOf(pid)) sendSignal(child, 'SIGKILL');
    renameSync(dir, gone);
    renameSync(copy, dir);
    sendSignal(pid, 'SIGKILL');
    await restarted(context, postgres, pid);
    while (await isRecovering(url)) await pause(pollMs, undefined, { signal });
    history.losses.push({ from, to: performance.now() });
  } finally {
    for (const path of [gone, copy]) rmSync(path, { recursive: true, force: true });
  }
}

/** @returns the data folder, and a copy of it that recovers to this moment and begins a new timeline */
async function backUp(url: string): Promise<{ dir: string; copy: string }> {
  return onPostgres(url, async (client) => {
    const dir = String((await client.query('SHOW data_directory')).rows[0]?.data_directory);
    const copy = `${dir}.copy`;
    rmSync(copy, { recursive: true, force: true });
    await client.query(`SELECT pg_backup_start('chaos', true)`);
    await copyFiles(dir, copy);
    const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop(false)');
    // The log up to here: without it, the other files are of different moments.
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

/** A running server may delete files while they are copied: their content is in the log. */
async function copyFiles(from: string, to: string): Promise<void> {
  await run('cp', ['-a', from, to]).catch((error: { stderr?: string }) => {
    if (!/^(cp: [^\n]*No such file or directory\n)+$/.test(error.stderr ?? '')) throw error;
  });
}

async function isRecovering(url: string): Promise<boolean> {
  return onPostgres(url, async (client) => {
    const { rows } = await client.query('SELECT pg_is_in_recovery() AS is_recovering');
    return rows[0]?.is_recovering === true;
  }).catch(() => true);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { acquireLock, releaseLock } from './lock.ts';
import { recordProcess, stopOrphans } from './orphans.ts';
import { processIdentity } from './process-identity.ts';

const folder = mkdtempSync(join(tmpdir(), 'hooligram-orphans-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function sleeper() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  return { pid: child.pid as number, exited: once(child, 'exit') };
}

test('a recorded process that still lives is stopped by its signal', async () => {
  const dir = join(folder, 'living');
  const { pid, exited } = sleeper();
  recordProcess(dir, 'sleeper', pid, 'SIGTERM');
  expect(await stopOrphans(dir)).toEqual(['sleeper']);
  expect(await exited).toEqual([null, 'SIGTERM']);
  expect(readdirSync(dir)).toEqual([]);
});

test('a process that was given the pid of a recorded one is left alone', async () => {
  const dir = join(folder, 'reused');
  const { pid, exited } = sleeper();
  recordProcess(dir, 'sleeper', pid, 'SIGKILL');
  const record = { pid, identity: 'of an earlier process', signal: 'SIGKILL' };
  writeFileSync(join(dir, 'sleeper.pid.json'), JSON.stringify(record));
  expect(await stopOrphans(dir)).toEqual([]);
  expect(processIdentity(pid)).toBeDefined();
  process.kill(pid, 'SIGKILL');
  await exited;
});

test('a lock is held by one, until it is released', () => {
  const path = join(folder, 'held.lock');
  expect(acquireLock(path)).toBeUndefined();
  expect(acquireLock(path)).toMatchObject({ pid: process.pid });
  releaseLock(path);
  expect(existsSync(path)).toBe(false);
});

test('a lock whose holder is dead, or whose pid belongs to a later process, is free', () => {
  const path = join(folder, 'stale.lock');
  for (const holder of [
    { pid: 2 ** 22 + 1, identity: '1' },
    { pid: process.pid, identity: 'earlier' },
  ]) {
    writeFileSync(path, JSON.stringify(holder));
    expect(acquireLock(path)).toBeUndefined();
    releaseLock(path);
  }
});

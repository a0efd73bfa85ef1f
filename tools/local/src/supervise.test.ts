import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
// By path: testkit depends on this package, so this one cannot name it among its dependencies.
import { patienceMs, until } from '../../testkit/src/patience.ts';
import { processIdentity } from './process-identity.ts';
import type { ProcessSpec } from './running-process.ts';
import { restartPauseMs, SupervisedProcess, type SuperviseOptions } from './supervise.ts';

const folder = mkdtempSync(join(tmpdir(), 'hooligram-supervise-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function nodeSpec(script: string): ProcessSpec {
  return {
    name: 'probe',
    command: process.execPath,
    args: ['-e', script],
    env: {},
    logFile: join(folder, 'probe.log'),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: patienceMs,
    detached: true,
  };
}

const forever = 'setInterval(() => {}, 1000)';

function options(changes: Partial<SuperviseOptions> = {}): SuperviseOptions {
  return { isReady: async () => true, readyTimeoutMs: patienceMs, restart: true, ...changes };
}

test('the first restart is at once, the later ones wait longer and longer, up to a bound', () => {
  const pauses = Array.from({ length: 20 }, (_, failures) => restartPauseMs(failures + 1));
  expect(pauses[0]).toBeLessThan(200);
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  expect(pauses.at(-1)).toBe(30_000);
});

test('a process that dies is started again and its new pid reported', async () => {
  const pids: number[] = [];
  const onPid = (pid: number) => void pids.push(pid);
  const probe = await SupervisedProcess.start(nodeSpec(forever), options({ onPid }));
  probe.kill('SIGKILL');
  await until('it is started again', () => pids.length === 2);
  await probe.stop();
  expect(pids[0]).not.toBe(pids[1]);
});

test('what a process writes is for its owner alone to read', async () => {
  const spec = nodeSpec(forever);
  const probe = await SupervisedProcess.start(spec, options());
  expect(statSync(spec.logFile).mode & 0o777).toBe(0o600);
  await probe.stop();
});

test('a stopped process is not started again', async () => {
  const probe = await SupervisedProcess.start(nodeSpec(forever), options());
  await probe.stop();
  expect(probe.isRunning()).toBe(false);
  expect(processIdentity(probe.pid)).toBeUndefined();
  expect(probe.restarts).toBe(0);
});

test('a process that ends at its start is an error with the end of its log', async () => {
  const spec = nodeSpec('console.log("the reason"); process.exit(3)');
  await expect(SupervisedProcess.start(spec, options({ isReady: async () => false }))).rejects.toThrow(
    /^probe ended at its start: exit code 3\n[\s\S]*the reason/,
  );
});

test('a process that does not get ready in time is an error, and is stopped', async () => {
  let pid = 0;
  const start = SupervisedProcess.start(
    nodeSpec(forever),
    options({
      isReady: async () => false,
      readyTimeoutMs: 100,
      onPid: (started) => {
        pid = started;
      },
    }),
  );
  await expect(start).rejects.toThrow('probe is not ready after 0.1 s');
  expect(processIdentity(pid)).toBeUndefined();
});

test('a program that is missing is an error', async () => {
  const spec = { ...nodeSpec(''), command: join(folder, 'missing') };
  await expect(SupervisedProcess.start(spec, options())).rejects.toThrow(
    /^probe cannot be started: .*ENOENT/,
  );
});

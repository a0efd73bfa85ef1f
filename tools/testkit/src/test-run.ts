import { join } from 'node:path';

/** The folder of this test run, made by jest/global-setup.ts. */
export function testRunDir(): string {
  const dir = process.env.HOOLIGRAM_TEST_RUN;
  if (!dir) throw new Error('not in a test run: start jest from the repository root');
  return dir;
}

/** Where each process of the run is noted until it has ended. */
export function pidsDir(): string {
  return join(testRunDir(), 'pids');
}

export function logDir(): string {
  return join(testRunDir(), 'log');
}

import { type Browser, chromium } from 'playwright-core';
import { chromiumProgram } from './chromium-program.ts';

/** Starts a real Chromium without a window. It is ended with `close()`. */
export async function startBrowser(): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: await chromiumProgram(),
    // As root it refuses to start with its sandbox.
    chromiumSandbox: !isRoot,
    // Machines in CI have little shared memory.
    args: ['--disable-dev-shm-usage', '--disable-gpu'],
  });
}

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { machineTime } from '../machine-clock.ts';

const program = new URL('./sleeper-main.js', import.meta.url);

/** One in the process, made when it is needed first. It does not keep the process alive. */
let sleeper: Worker | undefined;

/**
 * Sleeps exactly, to a tenth of a millisecond or so. A timer of Node is up to a millisecond late. Looking at the clock again and again
 * would take the CPU from those who are measured: at a thousand sends a second nearly a whole core.
 * @param time milliseconds of `performance.now()`; one call at a time
 */
export async function sleepUntil(time: number): Promise<void> {
  sleeper ??= startSleeper();
  const woken = once(sleeper, 'message');
  sleeper.postMessage(machineTime(time));
  await woken;
}

function startSleeper(): Worker {
  const worker = new Worker(program);
  worker.unref();
  return worker;
}

import { parentPort } from 'node:worker_threads';
import { machineTime } from '../machine-clock.ts';

// Started by sleeper.ts; ends with its process.
const nobodyWakes = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** @param time by the clock that all threads share */
parentPort?.on('message', (time: number) => {
  Atomics.wait(nobodyWakes, 0, 0, Math.max(0, time - machineTime()));
  parentPort?.postMessage(undefined);
});

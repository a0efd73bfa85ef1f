import { parentPort } from 'node:worker_threads';

// Started by sleeper.ts; ends with its process.
const nobodyWakes = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** @param time milliseconds of `process.hrtime` */
parentPort?.on('message', (time: number) => {
  Atomics.wait(nobodyWakes, 0, 0, Math.max(0, time - Number(process.hrtime.bigint()) / 1e6));
  parentPort?.postMessage(undefined);
});

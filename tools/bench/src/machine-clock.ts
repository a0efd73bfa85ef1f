const looks = 5;

/**
 * By how many milliseconds this thread's clock is behind the one that all share. Between the two of a look the thread may have
 * to wait for the CPU, which makes less of it.
 */
const behind = Math.max(
  ...Array.from({ length: looks }, () => Number(process.hrtime.bigint()) / 1e6 - performance.now()),
);

/**
 * A moment by the clock that all threads and processes of a machine share: each has a `performance.now()` of its own.
 * @param time milliseconds of this thread's `performance.now()`; default: now
 * @returns milliseconds of `process.hrtime`
 */
export function machineTime(time = performance.now()): number {
  return time + behind;
}

/** @returns milliseconds of this thread's `performance.now()`, of a moment by the clock that all share */
export function ownTime(time: number): number {
  return time - behind;
}

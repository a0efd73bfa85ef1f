/**
 * A moment by the clock that all threads and processes of a machine share: each has a `performance.now()` of its own.
 * @param time milliseconds of this thread's `performance.now()`
 * @returns milliseconds of `process.hrtime`
 */
export function machineTime(time = performance.now()): number {
  return time + Number(process.hrtime.bigint()) / 1e6 - performance.now();
}

/** @returns milliseconds of this thread's `performance.now()`, of a moment by the clock that all share */
export function ownTime(time: number): number {
  return time - machineTime(0);
}

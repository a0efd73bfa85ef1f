/** Milliseconds since this process began; the clock is never set back. All times in the history are such. */
export function now(): number {
  return performance.now();
}

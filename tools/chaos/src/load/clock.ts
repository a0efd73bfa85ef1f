/** Milliseconds since this process began, never set back. All times in the ledger are such. */
export function now(): number {
  return performance.now();
}

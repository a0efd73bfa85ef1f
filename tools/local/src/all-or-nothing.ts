/**
 * Starts several things at once, all or none: when one fails, the signal that all of them are given
 * aborts, and the others are waited for, so that none of them starts later.
 * @throws the first failure
 */
export async function allOrNothing<const T extends readonly unknown[]>(
  signal: AbortSignal,
  ...starts: { [K in keyof T]: (signal: AbortSignal) => Promise<T[K]> }
): Promise<T> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const settled = await Promise.all(
    starts.map((start) =>
      start(either).catch((error: unknown) => {
        failed.abort(error);
      }),
    ),
  );
  signal.throwIfAborted();
  failed.signal.throwIfAborted();
  return settled as unknown as T;
}

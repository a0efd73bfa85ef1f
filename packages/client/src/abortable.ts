import type { AbortSignalLike } from './options.ts';
/**
 * @param onAbort called when the signal aborts before the promise settles
 * @throws the signal's reason, or what the promise rejects with
 */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignalLike | undefined,
  onAbort = () => {},
): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = () => {
      onAbort();
      reject(signal.reason);
    };
    const settled = promise.then(resolve, reject);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    void settled.then(() => signal.removeEventListener('abort', abort));
  });
}

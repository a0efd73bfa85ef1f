// One Ctrl-C can arrive twice: from the terminal's process group, and passed on by npm.
const sameRequestMs = 500;

/**
 * The signal that asks this process to stop: SIGINT, SIGTERM, SIGHUP, or the end of the process that started
 * it. A second request, more than half a second later, calls `force` and ends it.
 */
export function shutdownSignal(force: () => void): AbortSignal {
  const abort = new AbortController();
  let requestedAt = 0;
  const request = () => {
    if (!abort.signal.aborted) {
      requestedAt = Date.now();
      abort.abort(new Error('asked to stop'));
    } else if (Date.now() - requestedAt > sameRequestMs) {
      force();
      process.exit(1);
    }
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, request);
  process.once('disconnect', request);
  return abort.signal;
}

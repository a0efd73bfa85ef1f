// One Ctrl-C can reach us twice: from the terminal's group and passed on by npm.
const sameOrderMs = 500;

/**
 * The signal that asks this process to stop: SIGINT, SIGTERM, SIGHUP, or the end of the process that started
 * it. A second one, later, ends it at once.
 */
export function stopOrder(force: () => void): AbortSignal {
  const abort = new AbortController();
  let orderedAt = 0;
  const order = () => {
    if (!abort.signal.aborted) {
      orderedAt = Date.now();
      abort.abort(new Error('asked to stop'));
    } else if (Date.now() - orderedAt > sameOrderMs) {
      force();
      process.exit(1);
    }
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, order);
  process.once('disconnect', order);
  return abort.signal;
}

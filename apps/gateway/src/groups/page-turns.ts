/**
 * Turns to publish what was read of a group, one in each round of the event loop: what was published in the turn before is
 * in the sockets' buffers then, and can be asked for.
 * @returns resolves when it is the caller's turn
 */
export function createPageTurns(): () => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const turn = last.then(() => new Promise<void>((resolve) => setImmediate(resolve)));
    last = turn;
    return turn;
  };
}

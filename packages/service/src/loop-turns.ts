/**
 * Turns for work that is done a piece at a time, one piece in each round of the event loop: sockets are read and written
 * between two of them, whoever asks for how many.
 * @returns resolves when it is the caller's turn
 */
export function createLoopTurns(): () => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const turn = last.then(() => new Promise<void>((resolve) => setImmediate(resolve)));
    last = turn;
    return turn;
  };
}

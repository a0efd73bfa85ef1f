/**
 * Turns for work that is done a piece at a time, one piece in each round of the event loop: sockets are read and written
 * between two of them, whoever asks for how many.
 * @param together so many pieces share a round
 * @returns resolves when it is the caller's turn
 */
export function createLoopTurns(together = 1): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let asked = 0;
  return () => {
    if (asked % together === 0) last = last.then(() => new Promise((resolve) => setImmediate(resolve)));
    asked += 1;
    return last;
  };
}

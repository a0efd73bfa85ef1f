export type Gathering = {
  /** Cheap, and cannot fail. */
  add(id: number): void;
  /** Resolves when everything added so far has been sent. Rejects if that failed; asked again, it is tried again. */
  settled(): Promise<void>;
};

/**
 * Gathers the ids of one event-loop turn, each once, and sends them with one call, one call at a time: what
 * comes during a call goes into the next one. What could not be sent stays for the next one, too.
 */
export function createGathering(send: (ids: readonly number[]) => Promise<void>): Gathering {
  const gathered = new Set<number>();
  let underWay: Promise<void> = Promise.resolve();
  let isSending = false;
  let next: Promise<void> | undefined;

  async function sendNext(): Promise<void> {
    const before = underWay;
    await new Promise((resolve) => setImmediate(resolve));
    // Whoever failed before keeps its ids gathered, so this one takes them along.
    await before.catch(() => {});
    const ids = [...gathered];
    gathered.clear();
    underWay = next as Promise<void>;
    next = undefined;
    isSending = true;
    try {
      await send(ids);
    } catch (error) {
      for (const id of ids) gathered.add(id);
      throw error;
    } finally {
      isSending = false;
    }
  }

  function settled(): Promise<void> {
    if (gathered.size > 0 && !next) {
      next = sendNext();
      // Who asks hears of a failure; if nobody does, it is no unhandled one.
      next.catch(() => {});
    }
    return next ?? (isSending ? underWay : Promise.resolve());
  }

  return {
    add(id) {
      gathered.add(id);
      void settled();
    },
    settled,
  };
}

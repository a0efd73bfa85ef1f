const minMs = 200;
const maxMs = 1_000;

export type GrowingPause = {
  /** Resolves after a pause, each time a longer one. */
  wait(): Promise<void>;
  /** It works again: the next pause is the shortest. */
  reset(): void;
  /** Ends the wait that is under way. */
  end(): void;
};

/** The pauses of a loop that fails: no loop of the bus may run hot, whatever Redis answers. */
export function createGrowingPause(): GrowingPause {
  let nextMs = minMs;
  let end = () => {};
  return {
    wait() {
      const pauseMs = nextMs;
      nextMs = Math.min(2 * nextMs, maxMs);
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, pauseMs);
        end = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    reset() {
      nextMs = minMs;
    },
    end: () => end(),
  };
}

/** A loop that reports whether it works; `Part` of the service package fits. */
export type BusPart = {
  failed(reason: string): void;
  works(): void;
};

type Write = (repeated: number, lastAt: number) => void;

export type RepeatLimit = {
  /**
   * @param key what makes two lines alike
   * @param write writes the line; `repeated` says how many of its like were held back since the last one, this one
   *   included, and is 0 for the first; `lastAt` when it came, in milliseconds since the epoch
   */
  pass(key: string, write: Write): void;
};

/** Most series at a time. Lines beyond it are written at once, so that input from outside takes no memory. */
const keysMax = 1_000;

/**
 * Passes the first of a series of like lines at once, and the last one of each period with a count of those between.
 * So a failure that repeats costs a line a period, however fast it repeats, and every one is counted.
 */
export function createRepeatLimit(periodMs: number): RepeatLimit {
  const held = new Map<string, { count: number; lastAt: number; write: Write }>();

  function endPeriod(key: string): void {
    const { count, lastAt, write } = held.get(key) ?? { count: 0, lastAt: 0, write() {} };
    held.delete(key);
    if (count === 0) return;
    begin(key, write);
    write(count, lastAt);
  }

  function begin(key: string, write: Write): void {
    held.set(key, { count: 0, lastAt: 0, write });
    setTimeout(endPeriod, periodMs, key).unref();
  }

  return {
    pass(key, write) {
      const series = held.get(key);
      if (series) {
        series.count += 1;
        series.lastAt = Date.now();
        series.write = write;
        return;
      }
      if (held.size < keysMax) begin(key, write);
      write(0, Date.now());
    },
  };
}

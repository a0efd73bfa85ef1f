/** What was held back of a series since its last line, this one included. */
export type Repeated = {
  /** 0 for the first line of a series. */
  readonly count: number;
  /** When the last one came, in milliseconds since the epoch. */
  readonly lastAt: number;
  /** How many each source had, the worst first; undefined when none was named. */
  readonly sources: ReadonlyMap<string, number> | undefined;
};

type Write = (repeated: Repeated) => void;

type Series = { count: number; lastAt: number; write: Write; sources: Map<string, number> | undefined };

export type RepeatLimit = {
  /**
   * @param key what makes two lines alike
   * @param write writes the line, with how many of its like were held back
   * @param source whom it is about, such as a network or a user's id: they do not make two lines different
   */
  pass(key: string, write: Write, source?: string): void;
};

/** Most series at a time. Lines beyond it are written at once, so that input from outside takes no memory. */
const keysMax = 1_000;
/** Most sources of a series that are told apart. */
const sourcesMax = 1_000;

/**
 * Passes the first of a series of like lines at once, and the last one of each period with a count of those between.
 * So a failure that repeats costs a line a period, however fast it repeats, and every one is counted.
 */
export function createRepeatLimit(periodMs: number): RepeatLimit {
  const held = new Map<string, Series>();

  function endPeriod(key: string): void {
    const series = held.get(key);
    held.delete(key);
    if (!series || series.count === 0) return;
    begin(key, series.write);
    const sources = series.sources && new Map([...series.sources].sort(([, a], [, b]) => b - a));
    series.write({ count: series.count, lastAt: series.lastAt, sources });
  }

  function begin(key: string, write: Write): void {
    held.set(key, { count: 0, lastAt: 0, write, sources: undefined });
    setTimeout(endPeriod, periodMs, key).unref();
  }

  return {
    pass(key, write, source) {
      const series = held.get(key);
      if (series) {
        series.count += 1;
        series.lastAt = Date.now();
        series.write = write;
        if (source !== undefined) addSource(series, source);
        return;
      }
      if (held.size < keysMax) begin(key, write);
      write({ count: 0, lastAt: Date.now(), sources: undefined });
    },
  };
}

function addSource(series: Series, source: string): void {
  series.sources ??= new Map();
  const { sources } = series;
  const name = sources.size < sourcesMax || sources.has(source) ? source : 'others';
  sources.set(name, (sources.get(name) ?? 0) + 1);
}

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

type Series = {
  readonly subject: string | undefined;
  periodMs: number;
  /** Undefined between two periods: nothing came in the last one. */
  timer: NodeJS.Timeout | undefined;
  count: number;
  lastAt: number;
  write: Write;
  sources: Map<string, number> | undefined;
};

type RepeatedLine = {
  /** What makes two lines alike. */
  readonly key: string;
  /** Writes the line, with how many of its like were held back. */
  readonly write: Write;
  /** Whom it is about, such as a network or a user's id: they do not make two lines different. */
  readonly source?: string | undefined;
  /** What fails: another line may say that it works again. */
  readonly subject?: string | undefined;
};

export type RepeatLimit = {
  pass(line: RepeatedLine): void;
  /**
   * It works again, and a line says so: what is held back of its failures would come behind that, and is dropped. Its
   * next failure is the first of a series.
   */
  end(subject: string): void;
};

/** Most series at a time. Lines beyond it are written at once, so that input from outside takes no memory. */
const keysMax = 1_000;
/** Most sources of a series that are told apart. */
const sourcesMax = 1_000;

/**
 * Passes the first of a series of like lines at once, and the last one of each period with a count of those between.
 * So a failure that repeats costs a line a period, however fast it repeats, and every one is counted. Each period is
 * twice as long as the one before it: who looks while it begins sees within a moment how fast it repeats, and a night of
 * it is some hundred lines. A period without a repetition ends the series, unless it has a subject: that one fails until a
 * line says that it works again, however long the pauses are in which it is tried.
 */
export function createRepeatLimit({
  periodMs,
  periodMaxMs,
}: {
  periodMs: number;
  periodMaxMs: number;
}): RepeatLimit {
  const held = new Map<string, Series>();

  function beginPeriod(key: string, series: Series): void {
    series.timer = setTimeout(endPeriod, series.periodMs, key, series).unref();
  }

  function endPeriod(key: string, series: Series): void {
    series.timer = undefined;
    if (series.count > 0) writeCount(key, series);
    else if (series.subject === undefined) held.delete(key);
  }

  function writeCount(key: string, series: Series): void {
    const { count, lastAt } = series;
    const sources = series.sources && new Map([...series.sources].sort(([, a], [, b]) => b - a));
    series.count = 0;
    series.sources = undefined;
    series.periodMs = Math.min(2 * series.periodMs, periodMaxMs);
    beginPeriod(key, series);
    series.write({ count, lastAt, sources });
  }

  function begin({ key, write, subject }: RepeatedLine): void {
    const series = { subject, periodMs, timer: undefined, count: 0, lastAt: 0, write, sources: undefined };
    held.set(key, series);
    beginPeriod(key, series);
  }

  return {
    pass(line) {
      const { key, write, source } = line;
      const series = held.get(key);
      if (series) {
        series.count += 1;
        series.lastAt = Date.now();
        series.write = write;
        if (source !== undefined) addSource(series, source);
        if (!series.timer) writeCount(key, series);
        return;
      }
      if (held.size < keysMax) begin(line);
      write({ count: 0, lastAt: Date.now(), sources: undefined });
    },
    end(subject) {
      for (const [key, series] of held) {
        if (series.subject !== subject) continue;
        clearTimeout(series.timer);
        held.delete(key);
      }
    },
  };
}

function addSource(series: Series, source: string): void {
  series.sources ??= new Map();
  const { sources } = series;
  const name = sources.size < sourcesMax || sources.has(source) ? source : 'others';
  sources.set(name, (sources.get(name) ?? 0) + 1);
}

import type { Log } from './log.ts';
import type { Counter } from './metrics.ts';

const lineEveryMs = 60_000;
/** Most sources of a limit that are told apart within a minute. */
const sourcesMax = 1_000;
/** So many of them, the worst, are in the line. */
const sourcesShown = 5;

/** Counts what the limits refuse. The log has at most one line a minute for each limit, with the worst sources. */
export class LimitReport<L extends string> {
  readonly #counter: Counter<'limit'>;
  readonly #log: Log;
  readonly #refused = new Map<L, Map<string, number>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(counter: Counter<'limit'>, log: Log) {
    this.#counter = counter;
    this.#log = log;
  }

  /** @param source a network, or a user's id */
  add(limit: L, source: string | number): void {
    this.#counter.inc({ limit });
    let sources = this.#refused.get(limit);
    if (!sources) {
      sources = new Map();
      this.#refused.set(limit, sources);
      this.#timer ??= setTimeout(() => this.write(), lineEveryMs).unref();
    }
    const key = sources.size < sourcesMax || sources.has(String(source)) ? String(source) : 'others';
    sources.set(key, (sources.get(key) ?? 0) + 1);
  }

  /** Writes what was refused since the last time. */
  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [limit, sources] of this.#refused) {
      const worst = [...sources].sort(([, a], [, b]) => b - a).slice(0, sourcesShown);
      const refused = [...sources.values()].reduce((sum, count) => sum + count, 0);
      this.#log.warn(
        { limit, refused, sources: sources.size, worst: Object.fromEntries(worst) },
        'a limit refused what clients sent',
      );
    }
    this.#refused.clear();
  }
}

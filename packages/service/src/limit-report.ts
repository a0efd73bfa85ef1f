import type { Log } from './log.ts';
import type { Counter } from './metrics.ts';

/** Counts what the limits refuse. The log writes the first of each limit, then how many there were, and of whom. */
export class LimitReport<L extends string> {
  readonly #counter: Counter<'limit'>;
  readonly #log: Log;

  constructor(counter: Counter<'limit'>, log: Log) {
    this.#counter = counter;
    this.#log = log;
  }

  /** @param source a network, or a user's id */
  add(limit: L, source: string | number): void {
    this.#counter.inc({ limit });
    this.#log.warn({ limit, source: String(source) }, 'a limit refused what clients sent');
  }
}

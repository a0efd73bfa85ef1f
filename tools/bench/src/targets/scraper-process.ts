import { CalledProcess } from '../called-process.ts';
import type { Span } from '../load/latencies.ts';

/** What a scraper is told to read, and how long it takes for all of it. */
export type Scrape = { readonly urls: readonly string[]; readonly spreadMs: number };

const program = new URL('./scraper-main.js', import.meta.url);

/**
 * Reads metrics in a process of its own, at a low priority: a Prometheus has a machine of its own, and what it takes to read an
 * answer is none of what it costs to be scraped.
 */
export class ScraperProcess {
  readonly #process = new CalledProcess<Scrape, readonly Span[]>(program);

  /**
   * Reads each page once, one a while behind the other: a Prometheus spreads its targets over the interval, too.
   * @returns when each was read, by the clock that all processes share
   * @throws Error when a page was not to be had, or the process ended
   */
  scrape(scrape: Scrape): Promise<readonly Span[]> {
    return this.#process.call(scrape);
  }

  stop(): void {
    this.#process.stop();
  }
}

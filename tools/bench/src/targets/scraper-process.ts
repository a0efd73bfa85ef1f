import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Span } from '../load/latencies.ts';

/** What a scraper is told to read, and how long it takes for all of it. */
export type Scrape = { readonly urls: readonly string[]; readonly spreadMs: number };
/** When each page was read, by the clock that all processes share; or why it could not be read. */
export type Scraped = { readonly spans: readonly Span[] } | { readonly error: string };

const program = fileURLToPath(new URL('./scraper-main.js', import.meta.url));

/**
 * Reads metrics in a process of its own, at a low priority: a Prometheus has a machine of its own, and what it takes to read an
 * answer is none of what it costs to be scraped.
 */
export class ScraperProcess {
  readonly #child: ChildProcess = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });

  /**
   * Reads each page once, one a while behind the other: a Prometheus spreads its targets over the interval, too.
   * @returns when each was read, see `Scraped`
   * @throws Error when a page was not to be had, or the process ended
   */
  scrape(scrape: Scrape): Promise<readonly Span[]> {
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error('the process that scrapes ended'));
      this.#child.once('exit', onExit);
      this.#child.once('message', (scraped: Scraped) => {
        this.#child.off('exit', onExit);
        if ('spans' in scraped) resolve(scraped.spans);
        else reject(new Error(scraped.error));
      });
      this.#child.send(scrape);
    });
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

import { ours } from './ours.ts';
import { ScraperProcess } from './scraper-process.ts';
import type { Target } from './target.ts';

/** Ours, whose metrics somebody reads as a Prometheus does, in some turns of a trial. */
export const scraped: Target = {
  about:
    'ours, in turns of 5 s: in half of them /metrics of each process is scraped, and both halves are compared',
  async start(options, log, signal) {
    const target = await ours.start(options, log, signal);
    const scraper = new ScraperProcess();
    return {
      ...target,
      scrape: (spreadMs) => scraper.scrape({ urls: target.metricsUrls?.() ?? [], spreadMs }),
      async stop() {
        scraper.stop();
        await target.stop();
      },
    };
  },
};

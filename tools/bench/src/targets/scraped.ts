import { ours } from './ours.ts';
import type { Target } from './target.ts';

const everyMs = 5_000;

/** Ours, while somebody reads the metrics of all its processes as a Prometheus does. */
export const scraped: Target = {
  about: 'ours, with /metrics of all processes scraped every 5 s; --target ours,scraped compares the two',
  async start(options, log, signal) {
    const target = await ours.start(options, log, signal);
    const scrapeAll = () => {
      for (const url of target.metricsUrls?.() ?? []) {
        scrape(url).catch((error: Error) => log(`${url} was not scraped: ${error.message}`));
      }
    };
    const timer = setInterval(scrapeAll, everyMs);
    return {
      ...target,
      stop() {
        clearInterval(timer);
        return target.stop();
      },
    };
  },
};

async function scrape(url: string): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(everyMs) });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  await answer.arrayBuffer();
}

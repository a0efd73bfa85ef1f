import { ours } from './ours.ts';
import type { Target } from './target.ts';

const patienceMs = 5_000;

/** Ours, whose metrics somebody reads as a Prometheus does, in some turns of a trial. */
export const scraped: Target = {
  about:
    'ours, in turns of 5 s: in half of them /metrics of all processes is scraped, and both halves are compared',
  async start(options, log, signal) {
    const target = await ours.start(options, log, signal);
    return {
      ...target,
      async scrape() {
        await Promise.all((target.metricsUrls?.() ?? []).map(scrape));
      },
    };
  },
};

async function scrape(url: string): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
  if (!answer.ok) throw new Error(`${url} was not scraped: status ${answer.status}`);
  await answer.arrayBuffer();
}

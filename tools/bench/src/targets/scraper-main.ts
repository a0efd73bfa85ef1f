import { setTimeout as pause } from 'node:timers/promises';
import { giveWay } from '@hooligram/testkit';
import type { Scrape, Scraped } from './scraper-process.ts';

// Started by scraper-process.ts; ends with it.
giveWay();

const patienceMs = 5_000;

process.on('disconnect', () => process.exit());
process.on('message', (scrape: Scrape) => {
  const reply = (message: Scraped) => process.send?.(message);
  readAll(scrape).then(
    () => reply({}),
    (error: Error) => reply({ error: error.message }),
  );
});

async function readAll({ urls, spreadMs }: Scrape): Promise<void> {
  await Promise.all(
    urls.map(async (url, index) => {
      await pause((spreadMs * index) / urls.length);
      await read(url);
    }),
  );
}

async function read(url: string): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
  if (!answer.ok) throw new Error(`${url} was not scraped: status ${answer.status}`);
  await answer.arrayBuffer();
}

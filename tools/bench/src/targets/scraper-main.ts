import { setPriority } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { answerCalls } from '../called-process.ts';
import type { Span } from '../load/latencies.ts';
import { machineTime } from '../machine-clock.ts';
import type { Scrape } from './scraper-process.ts';

// Started by scraper-process.ts; ends with it.
// Not the lowest: where the servers take all the CPU, it would not have read a page within its turn.
setPriority(10);

const patienceMs = 5_000;

answerCalls(readAll);

async function readAll({ urls, spreadMs }: Scrape): Promise<Span[]> {
  return Promise.all(
    urls.map(async (url, index) => {
      await pause((spreadMs * index) / urls.length);
      const from = machineTime();
      await read(url);
      return [from, machineTime()] as const;
    }),
  );
}

async function read(url: string): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
  if (!answer.ok) throw new Error(`${url} was not scraped: status ${answer.status}`);
  await answer.arrayBuffer();
}

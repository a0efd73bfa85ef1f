import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { killRecorded } from '../../../local/src/orphans.ts';

/** Ends what the run started. Its data are thrown away, so nothing is asked to write them first. */
// biome-ignore lint/style/noDefaultExport: jest asks for one
export default function globalTeardown(): void {
  const dir = process.env.HOOLIGRAM_TEST_RUN;
  if (!dir) return;
  killRecorded(join(dir, 'pids'));
  if (process.env.HOOLIGRAM_TEST_KEEP !== '1')
    rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

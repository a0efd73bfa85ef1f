import { setTimeout as pause } from 'node:timers/promises';
import type { DatabaseSnapshot } from './checker/database-snapshot.ts';
import { findLost } from './checker/find-lost.ts';
import type { History } from './checker/history.ts';
import { readSnapshot } from './database.ts';
import type { Device } from './load/device.ts';

const connectedTimeoutMs = 90_000;
/** Within this, the retries of the product have had their chance. */
const deliveredTimeoutMs = 120_000;
const quietMs = 4_000;
const pollMs = 1_000;

export type Settled = {
  readonly snapshot: DatabaseSnapshot;
  /** From the end of all sending until everything had arrived, or the time was up. */
  readonly settledAfterMs: number;
  /** A line for each reason why it did not become quiet. */
  readonly problems: readonly string[];
};

/** Waits until every device is connected, every request answered, and every message delivered, up to a time limit. */
export async function settle(
  devices: readonly Device[],
  history: History,
  databaseUrl: string,
  signal: AbortSignal,
): Promise<Settled> {
  const startedAt = performance.now();
  const isBusy = (device: Device) => !device.isSignedIn || device.outbox.size > 0;
  while (devices.some(isBusy) && performance.now() - startedAt < connectedTimeoutMs) {
    await pause(pollMs / 10, undefined, { signal });
  }
  const problems = devices.filter(isBusy).map(problem);
  const connectedAt = performance.now();
  const sids = [...new Set(devices.map(({ sid }) => sid))];
  for (;;) {
    const snapshot = await readSnapshot(databaseUrl, sids);
    const owed = findLost(history, snapshot).length;
    const lastAt = history.deliveries.at(-1)?.at ?? 0;
    const isQuiet = performance.now() - lastAt > quietMs;
    if (owed === 0 && isQuiet) return { snapshot, settledAfterMs: Math.max(0, lastAt - startedAt), problems };
    if (performance.now() - connectedAt > deliveredTimeoutMs) {
      if (!isQuiet) problems.push(`deliveries go on ${deliveredTimeoutMs / 1000} s after the last request`);
      return { snapshot, settledAfterMs: performance.now() - startedAt, problems };
    }
    await pause(pollMs, undefined, { signal });
  }
}

function problem({ name, isSignedIn, outbox }: Device): string {
  return `${name} ${isSignedIn ? 'is signed in' : 'is not signed in'}, ${outbox.size} requests without answer`;
}

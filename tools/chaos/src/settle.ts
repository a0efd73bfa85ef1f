import { setTimeout as pause } from 'node:timers/promises';
import { readTruth } from './database.ts';
import { now } from './load/clock.ts';
import type { Device } from './load/device.ts';
import { findLost } from './verdict/find-lost.ts';
import type { Ledger } from './verdict/ledger.ts';
import type { Truth } from './verdict/truth.ts';

const connectedTimeoutMs = 90_000;
/** Within this, the retries of the product have had their chance. */
const deliveredTimeoutMs = 120_000;
const quietMs = 4_000;
const pollMs = 1_000;

export type Settled = {
  readonly truth: Truth;
  /** From the end of all sending until everything had arrived, or the patience was over. */
  readonly settledAfterMs: number;
  /** What kept it from becoming quiet, one line each. */
  readonly troubles: readonly string[];
};

/** Waits until everybody is connected, every request answered, and everything delivered; but not for ever. */
export async function settle(
  devices: readonly Device[],
  ledger: Ledger,
  databaseUrl: string,
  signal: AbortSignal,
): Promise<Settled> {
  const startedAt = now();
  const isBusy = (device: Device) => !device.isSignedIn || device.outbox.size > 0;
  while (devices.some(isBusy) && now() - startedAt < connectedTimeoutMs) {
    await pause(pollMs / 10, undefined, { signal });
  }
  const troubles = devices.filter(isBusy).map(trouble);
  const connectedAt = now();
  const sids = [...new Set(devices.map(({ sid }) => sid))];
  for (;;) {
    const truth = await readTruth(databaseUrl, sids);
    const owed = findLost(ledger, truth).length;
    const lastAt = ledger.deliveries.at(-1)?.at ?? 0;
    const isQuiet = now() - lastAt > quietMs;
    if (owed === 0 && isQuiet) return { truth, settledAfterMs: Math.max(0, lastAt - startedAt), troubles };
    if (now() - connectedAt > deliveredTimeoutMs) {
      if (!isQuiet) troubles.push(`deliveries go on ${deliveredTimeoutMs / 1000} s after the last request`);
      return { truth, settledAfterMs: now() - startedAt, troubles };
    }
    await pause(pollMs, undefined, { signal });
  }
}

function trouble({ name, isSignedIn, outbox }: Device): string {
  return `${name} ${isSignedIn ? 'is signed in' : 'is not signed in'}, ${outbox.size} requests without answer`;
}

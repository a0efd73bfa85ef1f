import type { StackDescription } from '@hooligram/local';
import type { Device } from '../load/device.ts';
import type { Population } from '../load/population.ts';
import type { Random } from '../random.ts';
import type { Ledger } from '../verdict/ledger.ts';

export type HarmContext = {
  /** As it is now. */
  readonly stack: () => StackDescription;
  readonly population: Population;
  readonly ledger: Ledger;
  readonly random: Random;
  /** Ends every wait. */
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
};

export type Harm = {
  readonly about: string;
  /** Does it once. Resolves as soon as the harmed part is back, or the harm is over. */
  readonly run: (context: HarmContext) => Promise<void>;
};

/** A few devices that are connected now, each of another person who has no other device. */
export function victims({ population, random }: HarmContext, count: number): Device[] {
  const alone = population.people.flatMap(({ devices }) => (devices.length === 1 ? devices : []));
  return random
    .shuffled(alone)
    .filter((device) => device.isSignedIn && device.manner === 'keep')
    .slice(0, count);
}

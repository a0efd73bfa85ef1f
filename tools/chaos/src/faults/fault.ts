import { setTimeout as pause } from 'node:timers/promises';
import type { StackDescription } from '@hooligram/local';
import type { SentinelSet } from '@hooligram/testkit/sentinels';
import type { History } from '../checker/history.ts';
import type { Device } from '../load/device.ts';
import type { Population } from '../load/population.ts';
import type { Outage } from '../outages/outage-report.ts';
import type { Random } from '../random.ts';
import type { RedisForm } from '../redis-forms.ts';

export type FaultContext = {
  readonly stack: () => StackDescription;
  readonly population: Population;
  readonly history: History;
  readonly random: Random;
  /** What leads to Redis, with `--redis sentinel`. */
  readonly sentinels?: SentinelSet | undefined;
  /** The times when one of several Redis was away, which faults add. */
  readonly outages?: Outage[];
  /** Ends every wait. */
  readonly signal: AbortSignal;
  /** How long a fault lasts, if not its usual time: until this resolves. */
  readonly untilOver?: (() => Promise<void>) | undefined;
  readonly log: (line: string) => void;
};

export type Fault = {
  readonly about: string;
  /** With which forms of Redis it can be injected; all unless given. */
  readonly redis?: readonly RedisForm[];
  /** Injects it once. Resolves as soon as the component is back, or the fault is over. */
  readonly run: (context: FaultContext) => Promise<void>;
};

/** Waits as long as a fault lasts: its usual time, if its context says nothing else. */
export async function whileItLasts(usualMs: number, { untilOver, signal }: FaultContext): Promise<void> {
  await (untilOver ? untilOver() : pause(usualMs, undefined, { signal }));
}

/** A few devices that are connected now, each of another user who has no other device. */
export function victims({ population, random }: FaultContext, count: number): Device[] {
  const alone = population.users.flatMap(({ devices }) => (devices.length === 1 ? devices : []));
  return random
    .shuffled(alone)
    .filter((device) => device.isSignedIn && device.ackMode === 'acknowledge')
    .slice(0, count);
}

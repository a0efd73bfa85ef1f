import type { InjectedFault } from './inject-faults.ts';
import type { Device } from './load/device.ts';

/** More than the product's tries to deliver a state: it sends a few with other groups, or after a resync. */
const stateTimesMax = 20;
/** Redis counts the tries, and Postgres knows what was given up: where either forgets, they begin again, eight of them. */
const forgettingFaults: readonly InjectedFault['name'][] = ['lose-redis', 'flushall', 'restore-postgres'];
const stateTimesAgain = 10;

type Counts = Pick<Device, 'name' | 'stateTimesMax' | 'frameFailures'>;

/**
 * A line for each client that received needless frames, more often than can be explained.
 * @param injected the faults, in the order in which they were
 */
export function excesses(devices: readonly Counts[], injected: readonly InjectedFault['name'][]): string[] {
  const forgotten = injected.filter((name) => forgettingFaults.includes(name)).length;
  const timesMax = stateTimesMax + stateTimesAgain * forgotten;
  return devices.flatMap(({ name, stateTimesMax: times, frameFailures }) => [
    ...(times > timesMax ? [`${name} received one state ${times} times on one connection`] : []),
    ...(frameFailures > 0 ? [`${name} was refused ${frameFailures} frames as no frames`] : []),
  ]);
}

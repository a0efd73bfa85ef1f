import type { Device } from './load/device.ts';

/** More than the product's tries to deliver a state: it sends a few with other groups, or after a resync. */
const stateTimesMax = 20;

type Counts = Pick<Device, 'name' | 'stateTimesMax' | 'frameFailures'>;

/** A line for each client that received needless frames, more often than can be explained. */
export function excesses(devices: readonly Counts[]): string[] {
  return devices.flatMap(({ name, stateTimesMax: times, frameFailures }) => [
    ...(times > stateTimesMax ? [`${name} received one state ${times} times on one connection`] : []),
    ...(frameFailures > 0 ? [`${name} was refused ${frameFailures} frames as no frames`] : []),
  ]);
}

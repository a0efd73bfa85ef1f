import type { Device } from './load/device.ts';

/** More than the product tries to deliver a state: a few come with the states of other groups, or after a resync. */
const stateTimesMax = 20;

type Counts = Pick<Device, 'name' | 'stateTimesMax' | 'frameFailures'>;

/** What clients were sent for nothing, and more often than can be explained: one line each. */
export function excesses(devices: readonly Counts[]): string[] {
  return devices.flatMap(({ name, stateTimesMax: times, frameFailures }) => [
    ...(times > stateTimesMax ? [`${name} was sent one state ${times} times on one connection`] : []),
    ...(frameFailures > 0 ? [`${name} was told ${frameFailures} times that it sends no frames`] : []),
  ]);
}

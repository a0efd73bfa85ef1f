import type { Random } from '../random.ts';
import type { Device } from './device.ts';

/** How long a connection lasts on average when nobody harms it; with many clients longer, for the servers' sake. */
const lifeMinMs = 60_000;
const lossesPerSecondMax = 5;
const tickMs = 100;

/** Lets clients lose their connection by themselves now and then, and return to the gateway that they prefer. */
export function startRestlessness(devices: readonly Device[], random: Random): { stop(): void } {
  const lifeMs = Math.max(lifeMinMs, (devices.length * 1_000) / lossesPerSecondMax);
  const timer = setInterval(() => {
    for (const device of devices) {
      // Others would be disturbed in what a harm wants of them.
      if (device.isSignedIn && device.manner === 'keep' && random.next() < tickMs / lifeMs)
        device.reconnect();
    }
  }, tickMs);
  return { stop: () => clearInterval(timer) };
}

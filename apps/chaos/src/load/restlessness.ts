import type { Random } from '../random.ts';
import type { Device } from './device.ts';

/** How long a connection lasts on average when nobody harms it. */
const lifeMs = 60_000;
const tickMs = 100;

/** Lets clients lose their connection by themselves now and then, and return to the gateway that they prefer. */
export function startRestlessness(devices: readonly Device[], random: Random): { stop(): void } {
  const timer = setInterval(() => {
    for (const device of devices) {
      // Others would be disturbed in what a harm wants of them.
      if (device.isSignedIn && device.manner === 'keep' && random.next() < tickMs / lifeMs)
        device.reconnect();
    }
  }, tickMs);
  return { stop: () => clearInterval(timer) };
}

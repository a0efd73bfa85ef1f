import type { Random } from '../random.ts';
import type { Device } from './device.ts';

/** How long a connection lasts on average without a fault; longer with many clients, to spare the servers. */
const lifeMinMs = 60_000;
const lossesPerSecondMax = 5;
const tickMs = 100;

/** Lets clients lose their connection by themselves now and then, and return to the gateway that they prefer. */
export function startConnectionChurn(devices: readonly Device[], random: Random): { stop(): void } {
  const lifeMs = Math.max(lifeMinMs, (devices.length * 1_000) / lossesPerSecondMax);
  const timer = setInterval(() => {
    for (const device of devices) {
      // A fault has set the ack mode of the others, and needs their connections.
      if (device.isSignedIn && device.ackMode === 'acknowledge' && random.next() < tickMs / lifeMs)
        device.reconnect();
    }
  }, tickMs);
  return { stop: () => clearInterval(timer) };
}

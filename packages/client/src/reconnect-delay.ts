import { closeReasons, reconnectAdvice } from '@hooligram/protocol/close-codes';
import { backoffMs } from './backoff.ts';

/** A draining server spreads its closes; when it has no time for that, its clients spread themselves. */
const spreadMs = 500;

/**
 * How long to wait before the next try to connect.
 * @param code close code of the connection; 1006 for one that broke, or was never open
 * @param failures connections that did not last, one after the other, before this one
 * @param random from 0 to less than 1
 * @returns undefined: do not reconnect
 */
export function reconnectDelayMs(code: number, failures: number, random: number): number | undefined {
  const { reconnect, reconnectAfterMs } = reconnectAdvice(code);
  if (!reconnect) return undefined;
  if (failures > 0 || reconnectAfterMs > 0) return reconnectAfterMs + backoffMs(failures, random);
  return code === closeReasons.notAcknowledged.code ? 0 : random * spreadMs;
}

/** Whether the server asks for a longer pause than after a connection that broke: no hint makes it shorter. */
export function isLongPause(code: number): boolean {
  return reconnectAdvice(code).reconnectAfterMs > reconnectAdvice(1006).reconnectAfterMs;
}

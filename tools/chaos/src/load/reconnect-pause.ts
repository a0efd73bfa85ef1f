import { mobileReconnectMs } from '@hooligram/conformance';
import { reconnectAdvice } from '@hooligram/protocol';
import type { Random } from '../random.ts';

export type Break = {
  /** With which the connection was closed. */
  readonly code: number;
  /** How many tries in a row did not get as far as a sign-in. */
  readonly failures: number;
  readonly capMs: number;
  /** The mobile client waits as long after every close. */
  readonly isMobile: boolean;
};

/**
 * How long to wait before the next connection: what the close code asks for, and full jitter that grows with every
 * try that failed since.
 */
export function reconnectPauseMs({ code, failures, capMs, isMobile }: Break, random: Random): number {
  const { reconnect, reconnectAfterMs } = reconnectAdvice(code);
  // 1008 says that this client has a fault. It has none: that it was said at all must show.
  if (!reconnect) throw new Error(`the server closed a connection with ${code}, for a client without fault`);
  if (isMobile) return mobileReconnectMs;
  const spreadMs = Math.min(capMs, 500 * 2 ** failures);
  return (failures === 0 ? reconnectAfterMs : 0) + random.next() * (failures === 0 ? 500 : spreadMs);
}

import { mobileReconnectMs } from '@hooligram/conformance';
import { reconnectAdvice } from '@hooligram/protocol';
import type { Random } from '../random.ts';

export type Break = {
  readonly code: number;
  /** How many tries in a row did not reach the sign-in. */
  readonly failures: number;
  readonly capMs: number;
  /** The mobile client always waits the same time. */
  readonly isMobile: boolean;
};

/**
 * How long to wait before the next connection: as the close code advises, and then with full jitter that grows with
 * every failed try.
 * @throws Error at a code that blames the client, which does nothing wrong here
 */
export function reconnectPauseMs({ code, failures, capMs, isMobile }: Break, random: Random): number {
  const { reconnect, reconnectAfterMs } = reconnectAdvice(code);
  if (!reconnect)
    throw new Error(`the server closed a connection with ${code}, which blames a client without fault`);
  if (isMobile) return mobileReconnectMs;
  const spreadMs = Math.min(capMs, 500 * 2 ** failures);
  return (failures === 0 ? reconnectAfterMs : 0) + random.next() * (failures === 0 ? 500 : spreadMs);
}

import { reconnectAdvice } from '@hooligram/protocol';
import type { Random } from '../random.ts';

/**
 * How long to wait before the next connection: what the close code asks for, and full jitter that grows with every
 * try that failed since.
 * @param failures how many tries in a row did not get as far as a sign-in
 */
export function reconnectPauseMs(code: number, failures: number, capMs: number, random: Random): number {
  const { reconnect, reconnectAfterMs } = reconnectAdvice(code);
  // 1008 says that this client has a fault. It has none: that it was said at all must show.
  if (!reconnect) throw new Error(`the server closed a connection with ${code}, for a client without fault`);
  const spreadMs = Math.min(capMs, 500 * 2 ** failures);
  return (failures === 0 ? reconnectAfterMs : 0) + random.next() * (failures === 0 ? 500 : spreadMs);
}

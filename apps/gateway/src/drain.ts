import { closeReasons } from '@hooligram/protocol';
import type { Session } from './session.ts';

const tickMs = 50;

/**
 * Sends all clients away, evenly spread over a time, so that the others are not met by all of them at once. Until
 * its turn has come a connection works as ever. Then it takes no more requests, gets the answers to those that
 * are at the core, and is closed with 1012: no client need wonder whether a message was stored.
 *
 * @param spreadMs 0 closes all at once
 * @returns when the last one is closed
 */
export async function drain(sessions: ReadonlySet<Session>, spreadMs: number): Promise<void> {
  const leaving: Promise<void>[] = [];
  const portion = Math.ceil((sessions.size * tickMs) / Math.max(spreadMs, tickMs));
  for (let waiting = [...sessions]; waiting.length > 0; waiting = waiting.slice(portion)) {
    for (const session of waiting.slice(0, portion)) leaving.push(sendAway(session));
    if (waiting.length > portion) await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  await Promise.all(leaving);
}

async function sendAway(session: Session): Promise<void> {
  await session.finish();
  session.socket.end(closeReasons.restarting);
}

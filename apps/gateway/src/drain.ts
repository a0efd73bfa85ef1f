import { closeReasons } from '@hooligram/protocol';
import type { Session } from './session.ts';

const tickMs = 50;

/**
 * Sends all clients away, evenly spread over a time, so that the others are not met by all of them at once. Until
 * its turn has come a connection works as before. Then it takes no more requests, gets the answers to those that
 * are at the core, and is closed with 1012: no client need wonder whether a message was stored. Where the answer
 * does not come in time, it is closed with 1013, because that client has to wonder.
 *
 * @param spreadMs 0 closes all at once
 * @param patienceMs from now on; for answers that do not come
 * @returns when the last one is closed
 */
export async function drain(
  sessions: ReadonlySet<Session>,
  { spreadMs, patienceMs }: { spreadMs: number; patienceMs: number },
): Promise<void> {
  const outOfPatience = new AbortController();
  const timer = setTimeout(() => outOfPatience.abort(), patienceMs);
  const leaving: Promise<void>[] = [];
  const portion = Math.ceil((sessions.size * tickMs) / Math.max(spreadMs, tickMs));
  for (let waiting = [...sessions]; waiting.length > 0; waiting = waiting.slice(portion)) {
    for (const session of waiting.slice(0, portion)) leaving.push(sendAway(session, outOfPatience.signal));
    if (waiting.length > portion) await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  await Promise.all(leaving);
  clearTimeout(timer);
}

async function sendAway(session: Session, outOfPatience: AbortSignal): Promise<void> {
  const isAnswered = await session.finish(outOfPatience);
  session.socket.end(isAnswered ? closeReasons.restarting : closeReasons.outcomeUnknown);
}

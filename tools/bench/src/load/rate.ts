import { setImmediate } from 'node:timers/promises';
import type { MessageStream } from './message-stream.ts';
import { sleepUntil } from './sleeper.ts';

/** Nothing sleeps for less: what is due meanwhile leaves together. */
const sleepMsMin = 0.5;

/** How fast messages are sent: a number of unanswered ones in each stream, or a number a second in all. */
export type Rate = { readonly inFlight: number } | { readonly perSecond: number };

/**
 * Keeps a number of unanswered messages in each stream.
 * @param mayGoOn whether the stream sends another message
 * @returns when all messages are answered
 * @throws Error when a message is refused
 */
export async function keepInFlight(
  streams: readonly MessageStream[],
  inFlight: number,
  mayGoOn: (stream: MessageStream) => boolean,
): Promise<void> {
  let open = 0;
  await new Promise<void>((resolve, reject) => {
    const next = (stream: MessageStream) => {
      open += 1;
      stream.send(performance.now(), (isSuccess, payload) => {
        open -= 1;
        if (!isSuccess) return reject(refused(payload));
        if (mayGoOn(stream)) next(stream);
        else if (open === 0) resolve();
      });
    };
    for (const stream of streams) {
      for (let count = 0; count < inFlight; count += 1) next(stream);
    }
  });
}

/**
 * Sends a number of messages a second, however many are answered, from each stream in turn.
 * @param startedAt milliseconds of the process's clock, as `endsAt`
 * @returns tells whether all are answered by now; it throws when a message was refused
 * @throws Error when a message is refused meanwhile
 */
export async function keepRate(
  streams: readonly MessageStream[],
  perSecond: number,
  startedAt: number,
  endsAt: number,
): Promise<() => boolean> {
  const total = Math.floor(((endsAt - startedAt) / 1_000) * perSecond);
  let failure: Error | undefined;
  let open = 0;
  for (let sent = 0; sent < total && !failure; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1_000) * perSecond) + 1);
    for (; sent < due; sent += 1) {
      open += 1;
      const stream = streams[sent % streams.length] as MessageStream;
      // Latency counts from when the message should have been sent, so that a late sender hides nothing.
      stream.send(startedAt + (sent / perSecond) * 1_000, (isSuccess, payload) => {
        open -= 1;
        if (!isSuccess) failure = refused(payload);
      });
    }
    const next = startedAt + (sent / perSecond) * 1_000;
    const now = performance.now();
    if (next > now) await sleepUntil(Math.max(next, now + sleepMsMin));
    else await setImmediate();
  }
  return () => {
    if (failure) throw failure;
    return open === 0;
  };
}

export function refused(payload: () => unknown): Error {
  return new Error(`a message was refused: ${JSON.stringify(payload())}`);
}

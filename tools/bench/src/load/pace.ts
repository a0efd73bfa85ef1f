import { setTimeout as pause } from 'node:timers/promises';
import type { Conversation } from './conversation.ts';

/** How fast is sent: so many at a time in each conversation, or so many a second in all. */
export type Pace = { readonly inFlight: number } | { readonly perSecond: number };

/**
 * Each conversation has so many sends without answer, until the time is over and all are answered.
 * @param endsAt milliseconds of the process' clock
 * @throws Error when a message is refused
 */
export async function keepInFlight(
  conversations: readonly Conversation[],
  inFlight: number,
  endsAt: number,
): Promise<void> {
  let open = 0;
  await new Promise<void>((resolve, reject) => {
    const next = (conversation: Conversation) => {
      open += 1;
      conversation.send(performance.now(), (isSuccess, payload) => {
        open -= 1;
        if (!isSuccess) return reject(refused(payload));
        if (performance.now() < endsAt) next(conversation);
        else if (open === 0) resolve();
      });
    };
    for (const conversation of conversations) {
      for (let count = 0; count < inFlight; count += 1) next(conversation);
    }
  });
}

/**
 * So many sends a second, whatever is answered, the conversations in turn.
 * @returns whether all are answered by now
 * @throws Error when a message is refused; asked later, it throws then
 */
export async function keepPace(
  conversations: readonly Conversation[],
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
      const conversation = conversations[sent % conversations.length] as Conversation;
      // From when it should have left: a late sender hides nothing.
      conversation.send(startedAt + (sent / perSecond) * 1_000, (isSuccess, payload) => {
        open -= 1;
        if (!isSuccess) failure = refused(payload);
      });
    }
    await until(startedAt + (sent / perSecond) * 1_000);
  }
  return () => {
    if (failure) throw failure;
    return open === 0;
  };
}

/** So many messages in one conversation, a few at a time. @throws Error when one is refused */
export function say(conversation: Conversation, messages: number, inFlight: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let answered = 0;
    let asked = 0;
    const next = () => {
      if (asked === messages) return;
      asked += 1;
      conversation.send(performance.now(), (isSuccess, payload) => {
        if (!isSuccess) return reject(refused(payload));
        answered += 1;
        if (answered === messages) resolve();
        else next();
      });
    };
    for (let count = 0; count < inFlight; count += 1) next();
  });
}

function refused(payload: () => unknown): Error {
  return new Error(`a message was refused: ${JSON.stringify(payload())}`);
}

/** Waits exactly: a timer is up to a millisecond late, which would be counted as latency. */
async function until(time: number): Promise<void> {
  const early = time - performance.now() - 1.5;
  if (early > 0) await pause(early);
  while (performance.now() < time) await new Promise((resolve) => setImmediate(resolve));
}

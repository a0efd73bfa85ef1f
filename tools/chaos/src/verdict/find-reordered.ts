import { describe } from './find-lost.ts';
import type { Attempt, Ledger, SendRecord } from './ledger.ts';
import { type StoredMessage, storedBySend, type Truth } from './truth.ts';
import type { Fault } from './verdict.ts';

export function findReordered(ledger: Ledger, truth: Truth): Fault[] {
  return [...deliveriesReordered(ledger, truth), ...storedAgainstSending(ledger, truth)];
}

/** The messages of a group reach each connection in the order of their seq, apart from repetitions. */
function deliveriesReordered({ connections, deliveries }: Ledger, { messages }: Truth): Fault[] {
  const stored = new Map(messages.map((message) => [message.messageId, message]));
  const seen = new Map<number, { all: Set<number>; highest: Map<number, number> }>();
  const faults: Fault[] = [];
  for (const { connection, messageId, at } of deliveries) {
    const message = stored.get(messageId);
    if (!message) continue;
    const { all, highest } = seen.get(connection) ?? { all: new Set(), highest: new Map() };
    seen.set(connection, { all, highest });
    if (all.has(messageId)) continue;
    all.add(messageId);
    const before = highest.get(message.groupId) ?? 0;
    if (message.seq > before) highest.set(message.groupId, message.seq);
    else {
      const who = `connection ${connection} of ${connections[connection]?.sid}`;
      faults.push({
        kind: 'reordered',
        at,
        evidence: `${describe(message)} reached ${who} after seq ${before}`,
      });
    }
  }
  return faults;
}

/**
 * What one connection sends to a group is stored in the order of sending.
 *
 * Decided for each attempt: when a message goes out for the first time ever, whatever went out before it on that
 * connection must have a lower seq, unless that earlier attempt got FAILURE (it had no effect then, and may have
 * been stored by a later attempt). A message that goes out again may have been stored at its first attempt.
 */
function storedAgainstSending(ledger: Ledger, truth: Truth): Fault[] {
  const storedOf = storedBySend(truth.messages);
  const faults: Fault[] = [];
  for (const { attempts } of attemptsByConnection(ledger)) {
    const highest = new Map<number, StoredMessage>();
    for (const { send, attempt } of attempts) {
      const message = storedOf(send);
      if (!message) continue;
      const before = highest.get(message.groupId);
      if (before && send.attempts[0] === attempt && message.seq < before.seq) {
        const evidence = `${describe(message)} was sent after, and stored before ${describe(before)}`;
        faults.push({ kind: 'reordered', at: attempt.at, evidence });
      }
      const isUndone = attempt.answer?.ok === false;
      if (!isUndone && message.seq > (before?.seq ?? 0)) highest.set(message.groupId, message);
    }
  }
  return faults;
}

type Sending = { readonly send: SendRecord; readonly attempt: Attempt };

/** What each connection sent, in order. */
function attemptsByConnection({ sends }: Ledger): { readonly attempts: Sending[] }[] {
  const byConnection = new Map<number, Sending[]>();
  for (const send of sends) {
    for (const attempt of send.attempts) {
      const list = byConnection.get(attempt.connection) ?? [];
      byConnection.set(attempt.connection, list);
      list.push({ send, attempt });
    }
  }
  // Attempts of one moment keep the order in which their messages were made, which is that of their sending.
  return [...byConnection.values()].map((attempts) => ({
    attempts: attempts.sort((a, b) => a.attempt.at - b.attempt.at),
  }));
}

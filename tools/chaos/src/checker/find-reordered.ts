import type { Violation } from './check.ts';
import { type DatabaseSnapshot, type StoredMessage, storedBySend } from './database-snapshot.ts';
import { describe } from './find-lost.ts';
import type { Attempt, History, SendRecord } from './history.ts';
import { append, ensure } from './maps.ts';

export function findReordered(history: History, snapshot: DatabaseSnapshot): Violation[] {
  return [...deliveriesReordered(history, snapshot), ...storedAgainstSending(history, snapshot)];
}

/** The messages of a group reach each connection in the order of their seq, except repetitions. */
function deliveriesReordered(
  { connections, deliveries }: History,
  { messages }: DatabaseSnapshot,
): Violation[] {
  const stored = new Map(messages.map((message) => [message.messageId, message]));
  const seen = new Map<number, { all: Set<number>; highest: Map<number, number> }>();
  const violations: Violation[] = [];
  for (const { connection, messageId, at } of deliveries) {
    const message = stored.get(messageId);
    if (!message) continue;
    const { all, highest } = ensure(seen, connection, () => ({ all: new Set(), highest: new Map() }));
    if (all.has(messageId)) continue;
    all.add(messageId);
    const before = highest.get(message.groupId) ?? 0;
    if (message.seq > before) highest.set(message.groupId, message.seq);
    else {
      const who = `connection ${connection} of ${connections[connection]?.sid}`;
      const evidence = `${describe(message)} reached ${who} after seq ${before}`;
      violations.push({ type: 'reordered', at, evidence });
    }
  }
  return violations;
}

/**
 * The messages of one connection to a group are stored in the order of sending.
 *
 * Decided for each attempt: when a message goes out for the first time, all messages that went out before it on that
 * connection must have a lower seq, except those whose earlier attempt got FAILURE (it had no effect then, and a later
 * attempt may have stored them). A message that goes out again may have been stored at its first attempt.
 */
function storedAgainstSending(history: History, snapshot: DatabaseSnapshot): Violation[] {
  const storedOf = storedBySend(snapshot.messages);
  const violations: Violation[] = [];
  for (const attempts of attemptsByConnection(history)) {
    const highest = new Map<number, StoredMessage>();
    for (const { send, attempt } of attempts) {
      const message = storedOf(send);
      if (!message) continue;
      const before = highest.get(message.groupId);
      if (before && send.attempts[0] === attempt && message.seq < before.seq) {
        const evidence = `${describe(message)} was sent after, and stored before ${describe(before)}`;
        violations.push({ type: 'reordered', at: attempt.at, evidence });
      }
      const isUndone = attempt.answer?.ok === false;
      if (!isUndone && message.seq > (before?.seq ?? 0)) highest.set(message.groupId, message);
    }
  }
  return violations;
}

type Sending = { readonly send: SendRecord; readonly attempt: Attempt };

/** The attempts on each connection, in their order. */
function attemptsByConnection({ sends }: History): Sending[][] {
  const byConnection = new Map<number, Sending[]>();
  for (const send of sends) {
    for (const attempt of send.attempts) append(byConnection, attempt.connection, { send, attempt });
  }
  // Attempts of one moment keep the order of their messages, which is the order of sending.
  return [...byConnection.values()].map((attempts) => attempts.sort((a, b) => a.attempt.at - b.attempt.at));
}

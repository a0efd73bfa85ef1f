import { describe } from './find-lost.ts';
import { type Attempt, finalAnswer, type Ledger, mayBeGone, type SendRecord } from './ledger.ts';
import { memberKey, type StoredMessage, storedBySend, type Truth } from './truth.ts';
import type { Fault } from './verdict.ts';

/** SUCCESS means stored, FAILURE not stored, and what is stored and received is what was sent. */
export function findAnswerFaults(ledger: Ledger, truth: Truth): Fault[] {
  const storedOf = storedBySend(truth.messages);
  return [
    ...ledger.sends.flatMap((send) => sendFaults(ledger, send, storedOf(send))),
    ...changeFaults(ledger, truth),
    ...deliveryFaults(ledger, truth),
  ];
}

function sendFaults(ledger: Ledger, send: SendRecord, message: StoredMessage | undefined): Fault[] {
  const { sid, id, groupId, content, attempts } = send;
  const at = attempts[0]?.at ?? 0;
  const name = `request ${id} of ${sid} to group ${groupId}`;
  const faults: Fault[] = [];
  const answer = finalAnswer(send);
  // What goes out once may lose its answer with its connection.
  if (!answer && !(send.isOnce && attempts.length > 0))
    faults.push({ kind: 'wrong answer', at, evidence: `${name} was never answered` });
  for (const { answer: given } of attempts) {
    if (!given?.ok || mayBeGone(ledger, given.at)) continue;
    if (message && given.messageId !== message.messageId) {
      const evidence = `${name} was answered with message ${given.messageId}, and is ${describe(message)}`;
      faults.push({ kind: 'wrong answer', at, evidence });
    }
  }
  if (answer?.ok && !message && !mayBeGone(ledger, answer.at)) {
    faults.push({ kind: 'lost', at, evidence: `${name} got SUCCESS ${answer.messageId} and is not stored` });
  }
  // An attempt without an answer may have stored it, and nobody told us. That is no lie.
  if (answer && !answer.ok && message && attempts.every(isAnswered)) {
    const evidence = `${name} got FAILURE (${answer.errors.join('; ')}) and is ${describe(message)}`;
    faults.push({ kind: 'wrong answer', at, evidence });
  }
  if (message && (message.content !== content || message.groupId !== groupId)) {
    faults.push({ kind: 'altered', at, evidence: `${name} is ${describe(message)} with other content` });
  }
  return faults;
}

function isAnswered(attempt: Attempt): boolean {
  return attempt.answer !== undefined;
}

/** Whoever was told that a change was made finds it in the database. */
function changeFaults(ledger: Ledger, { memberships, groups }: Truth): Fault[] {
  const done = new Set(memberships.map(({ change, groupId, sid }) => `${change} ${memberKey(groupId, sid)}`));
  const names = new Map(groups.map(({ groupId, name }) => [groupId, name]));
  return ledger.changes.flatMap((change) => {
    const answer = finalAnswer(change);
    const at = change.attempts[0]?.at ?? 0;
    const fault = (what: string): Fault[] => [
      { kind: 'wrong answer', at, evidence: `${change.kind} ${change.id} of ${change.sid} ${what}` },
    ];
    if (!answer) return fault('was never answered');
    if (!answer.ok || mayBeGone(ledger, answer.at)) return [];
    if (change.kind === 'create') {
      return names.get(answer.groupId ?? 0) === change.name ? [] : fault(`is not group ${answer.groupId}`);
    }
    const [verb, sid] = change.kind === 'add' ? ['joined', change.member] : ['left', change.sid];
    return done.has(`${verb} ${memberKey(change.groupId, sid)}`) ? [] : fault('got SUCCESS and was not done');
  });
}

/** What was delivered is what is stored, which `sendFaults` has compared with what was sent. */
function deliveryFaults({ connections, deliveries }: Ledger, { messages }: Truth): Fault[] {
  const stored = new Map(messages.map((message) => [message.messageId, message]));
  return deliveries.flatMap(({ messageId, groupId, senderSid, content, connection, at }) => {
    const message = stored.get(messageId);
    if (!message) return [];
    const isSame =
      message.content === content && message.groupId === groupId && message.senderSid === senderSid;
    if (isSame) return [];
    const evidence = `${describe(message)} reached ${connections[connection]?.sid} altered`;
    return [{ kind: 'altered', at, evidence } as const];
  });
}

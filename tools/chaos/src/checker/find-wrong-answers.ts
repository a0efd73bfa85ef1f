import type { Violation } from './check.ts';
import { type DatabaseSnapshot, memberKey, type StoredMessage, storedBySend } from './database-snapshot.ts';
import { describe } from './find-lost.ts';
import { type Attempt, finalAnswer, type History, mayBeGone, type SendRecord } from './history.ts';

/** SUCCESS means stored, FAILURE means not stored, and messages are stored and delivered as they were sent. */
export function findWrongAnswers(history: History, snapshot: DatabaseSnapshot): Violation[] {
  const storedOf = storedBySend(snapshot.messages);
  return [
    ...history.sends.flatMap((send) => sendViolations(history, send, storedOf(send))),
    ...changeViolations(history, snapshot),
    ...deliveryViolations(history, snapshot),
  ];
}

function sendViolations(history: History, send: SendRecord, message: StoredMessage | undefined): Violation[] {
  const { sid, id, groupId, content, attempts } = send;
  const at = attempts[0]?.at ?? 0;
  const name = `request ${id} of ${sid} to group ${groupId}`;
  const violations: Violation[] = [];
  const answer = finalAnswer(send);
  // A message that goes out once may lose its answer with its connection.
  if (!answer && !(send.isOnce && attempts.length > 0))
    violations.push({ type: 'wrong answer', at, evidence: `${name} was never answered` });
  for (const { answer: other } of attempts) {
    if (!other?.ok || mayBeGone(history, other.at)) continue;
    if (message && other.messageId !== message.messageId) {
      const evidence = `${name} was answered with message ${other.messageId}, and is ${describe(message)}`;
      violations.push({ type: 'wrong answer', at, evidence });
    }
  }
  if (answer?.ok && !message && !mayBeGone(history, answer.at)) {
    violations.push({
      type: 'lost',
      at,
      evidence: `${name} got SUCCESS ${answer.messageId} and is not stored`,
    });
  }
  // An attempt without an answer may have stored it. Then the FAILURE of another attempt was true.
  if (answer && !answer.ok && message && attempts.every(isAnswered)) {
    const evidence = `${name} got FAILURE (${answer.errors.join('; ')}) and is ${describe(message)}`;
    violations.push({ type: 'wrong answer', at, evidence });
  }
  if (message && (message.content !== content || message.groupId !== groupId)) {
    violations.push({ type: 'altered', at, evidence: `${name} is ${describe(message)} with other content` });
  }
  return violations;
}

function isAnswered(attempt: Attempt): boolean {
  return attempt.answer !== undefined;
}

/** Every change with SUCCESS is in the database. */
function changeViolations(history: History, { memberships, groups }: DatabaseSnapshot): Violation[] {
  const done = new Set(memberships.map(({ change, groupId, sid }) => `${change} ${memberKey(groupId, sid)}`));
  const names = new Map(groups.map(({ groupId, name }) => [groupId, name]));
  return history.changes.flatMap((change) => {
    const answer = finalAnswer(change);
    const at = change.attempts[0]?.at ?? 0;
    const violation = (what: string): Violation[] => [
      { type: 'wrong answer', at, evidence: `${change.type} ${change.id} of ${change.sid} ${what}` },
    ];
    if (!answer) return violation('was never answered');
    if (!answer.ok || mayBeGone(history, answer.at)) return [];
    if (change.type === 'create') {
      return names.get(answer.groupId ?? 0) === change.name
        ? []
        : violation(`is not group ${answer.groupId}`);
    }
    const [verb, sid] = change.type === 'add' ? ['joined', change.member] : ['left', change.sid];
    return done.has(`${verb} ${memberKey(change.groupId, sid)}`)
      ? []
      : violation('got SUCCESS and was not done');
  });
}

/** Messages are delivered as they are stored, which `sendViolations` compares with the send. */
function deliveryViolations(
  { connections, deliveries }: History,
  { messages }: DatabaseSnapshot,
): Violation[] {
  const stored = new Map(messages.map((message) => [message.messageId, message]));
  return deliveries.flatMap(({ messageId, groupId, senderSid, content, connection, at }) => {
    const message = stored.get(messageId);
    if (!message) return [];
    const isSame =
      message.content === content && message.groupId === groupId && message.senderSid === senderSid;
    if (isSame) return [];
    const evidence = `${describe(message)} reached ${connections[connection]?.sid} altered`;
    return [{ type: 'altered', at, evidence } as const];
  });
}

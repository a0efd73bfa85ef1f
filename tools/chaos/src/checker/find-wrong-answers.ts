import type { Violation } from './check.ts';
import { type DatabaseSnapshot, memberKey, type StoredMessage, storedBySend } from './database-snapshot.ts';
import { describe } from './find-lost.ts';
import { finalAnswer, type History, mayBeGone, type SendRecord } from './history.ts';

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
  const violated = (type: Violation['type'], what: string) =>
    violations.push({ type, at, evidence: `${name} ${what}` });
  const answer = finalAnswer(send);
  // A message that goes out once may lose its answer with its connection.
  if (!answer && !(send.isOnce && attempts.length > 0)) violated('wrong answer', 'was never answered');
  for (const { answer: other } of attempts) {
    if (!other?.ok || !message || other.messageId === message.messageId) continue;
    if (!mayBeGone(history, other.at))
      violated('wrong answer', `was answered with message ${other.messageId}, and is ${describe(message)}`);
  }
  if (answer?.ok && !message && !mayBeGone(history, answer.at))
    violated('lost', `got SUCCESS ${answer.messageId} and is not stored`);
  // An attempt without an answer may have stored it. Then the FAILURE of another attempt was true.
  const isAnswered = attempts.every((attempt) => attempt.answer !== undefined);
  if (answer && !answer.ok && message && isAnswered)
    violated('wrong answer', `got FAILURE (${answer.errors.join('; ')}) and is ${describe(message)}`);
  if (message && (message.content !== content || message.groupId !== groupId))
    violated('altered', `is ${describe(message)} with other content`);
  return violations;
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

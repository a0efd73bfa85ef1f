import type { Violation } from './check.ts';
import {
  type DatabaseSnapshot,
  memberKey,
  type Stay,
  type StoredMessage,
  staysOf,
} from './database-snapshot.ts';
import { describe } from './find-lost.ts';
import { type DeliveryRecord, type History, mayBeGone } from './history.ts';
import { append } from './maps.ts';

/**
 * No user received a message that was stored while they were no member: exact, by seq alone. And after the SUCCESS of a
 * leave, the user received no message that was stored before it: neither on the connection of that answer nor on any
 * that signed in later. (On another connection of theirs, the message may have been on its way.)
 */
export function findMisdelivered(history: History, snapshot: DatabaseSnapshot): Violation[] {
  const stored = new Map(snapshot.messages.map((message) => [message.messageId, message]));
  const stays = staysOf(snapshot.memberships);
  const answeredLeaves = answeredLeavesOf(history, snapshot);
  const violations: Violation[] = [];
  for (const delivery of history.deliveries) {
    const message = stored.get(delivery.messageId);
    const sid = history.connections[delivery.connection]?.sid ?? '';
    const { at, connection } = delivery;
    const misdelivered = (why: string) =>
      violations.push({ type: 'misdelivered', at, evidence: `${why}, connection ${connection}` });
    if (!message) {
      if (mayBeGone(history, at)) continue;
      misdelivered(`message ${delivery.messageId}, which is not stored, was delivered to ${sid}`);
      continue;
    }
    const key = memberKey(message.groupId, sid);
    const own = stays.get(key) ?? [];
    if (!own.some(({ after, through }) => message.seq > after && message.seq <= through)) {
      misdelivered(`${describe(message)} was delivered to ${sid}, ${describeStays(own)}`);
    } else if (isAfterLeave(delivery, message, answeredLeaves.get(key) ?? [], history)) {
      misdelivered(`${describe(message)} was delivered to ${sid} after the SUCCESS of their leave`);
    }
  }
  return violations;
}

type AnsweredLeave = { readonly connection: number; readonly at: number; readonly seq: number };

/** Every leave that got SUCCESS, with its seq in the database. */
function answeredLeavesOf(history: History, snapshot: DatabaseSnapshot): Map<string, AnsweredLeave[]> {
  const leftAt = new Map<string, number[]>();
  for (const { groupId, sid, change, seq } of snapshot.memberships) {
    if (change === 'left') append(leftAt, memberKey(groupId, sid), seq);
  }
  const answered = new Map<string, Omit<AnsweredLeave, 'seq'>[]>();
  for (const change of history.changes) {
    if (change.type !== 'leave') continue;
    const attempt = change.attempts.find(({ answer }) => answer?.ok);
    if (!attempt?.answer) continue;
    const { connection, answer } = attempt;
    append(answered, memberKey(change.groupId, change.sid), { connection, at: answer.at });
  }
  const answeredLeaves = new Map<string, AnsweredLeave[]>();
  for (const [key, own] of answered) {
    const seqs = leftAt.get(key) ?? [];
    // A user's leaves follow one another. If their numbers differ, that is a violation of another type.
    if (seqs.length !== own.length) continue;
    answeredLeaves.set(
      key,
      own.map((leave, i) => ({ ...leave, seq: seqs[i] as number })),
    );
  }
  return answeredLeaves;
}

function isAfterLeave(
  { connection, at }: DeliveryRecord,
  { seq }: StoredMessage,
  answeredLeaves: readonly AnsweredLeave[],
  { connections }: History,
): boolean {
  return answeredLeaves.some((leave) => {
    if (seq > leave.seq || at <= leave.at) return false;
    return connection === leave.connection || (connections[connection]?.signInAt ?? 0) > leave.at;
  });
}

function describeStays(stays: readonly Stay[]): string {
  if (stays.length === 0) return 'who was never a member';
  const ranges = stays.map(
    ({ after, through }) => `(${after}, ${Number.isFinite(through) ? through : 'now'}]`,
  );
  return `a member for seq ${ranges.join(' and ')} only`;
}

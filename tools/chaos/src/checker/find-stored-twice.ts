import type { Violation } from './check.ts';
import { type DatabaseSnapshot, memberKey, type StoredMessage } from './database-snapshot.ts';
import { describe } from './find-lost.ts';
import { finalAnswer, type History } from './history.ts';
import { append, ensure } from './maps.ts';

/** One UUID, one effect: no message, group, joining or leaving is in the database more often than it was requested. */
export function findStoredTwice(history: History, snapshot: DatabaseSnapshot): Violation[] {
  return [
    ...messagesStoredTwice(history, snapshot),
    ...groupsCreatedTwice(history, snapshot),
    ...changesDoneTwice(history, snapshot),
  ];
}

function messagesStoredTwice({ sends }: History, { messages }: DatabaseSnapshot): Violation[] {
  const sentAt = new Map(sends.map(({ content, attempts }) => [content, attempts[0]?.at ?? 0]));
  const firstOf = new Map<string, StoredMessage>();
  return messages.flatMap((message) => {
    // By content, which no other message has: a second row may have another request id.
    const first = ensure(firstOf, `${message.senderSid} ${message.content}`, () => message);
    if (first === message) return [];
    const evidence = `${describe(first)} is also ${describe(message)}`;
    return [{ type: 'stored twice', at: sentAt.get(message.content) ?? 0, evidence } as const];
  });
}

function groupsCreatedTwice({ changes }: History, { groups }: DatabaseSnapshot): Violation[] {
  const groupIds = new Map<string, number[]>();
  for (const { groupId, name } of groups) append(groupIds, name, groupId);
  return changes.flatMap((change) => {
    if (change.type !== 'create' || change.name === '') return [];
    const created = groupIds.get(change.name) ?? [];
    if (created.length < 2) return [];
    const evidence = `request ${change.id} of ${change.sid} created the groups ${created.join(', ')}`;
    return [{ type: 'stored twice', at: change.attempts[0]?.at ?? 0, evidence } as const];
  });
}

/** More leaves in the database than requests for them, or more joins: a repetition took effect again. */
function changesDoneTwice({ changes }: History, { memberships }: DatabaseSnapshot): Violation[] {
  const requested = new Map<string, { count: number; at: number }>();
  const note = (key: string, at: number) => {
    const { count } = requested.get(key) ?? { count: 0 };
    requested.set(key, { count: count + 1, at });
  };
  for (const change of changes) {
    const at = change.attempts[0]?.at ?? 0;
    const answer = finalAnswer(change);
    if (change.type === 'leave') note(`left ${memberKey(change.groupId, change.sid)}`, at);
    if (change.type === 'add') note(`joined ${memberKey(change.groupId, change.member)}`, at);
    if (change.type !== 'create' || !answer?.ok || answer.groupId === undefined) continue;
    for (const sid of change.members) note(`joined ${memberKey(answer.groupId, sid)}`, at);
  }
  const done = new Map<string, number>();
  for (const { change, groupId, sid } of memberships) {
    const key = `${change} ${memberKey(groupId, sid)}`;
    done.set(key, (done.get(key) ?? 0) + 1);
  }
  return [...done].flatMap(([key, times]) => {
    const { count, at } = requested.get(key) ?? { count: 0, at: 0 };
    if (times <= count) return [];
    const [change, group, sid] = key.split(' ');
    const evidence = `${sid} ${change} group ${group} ${times} times, requested ${count} times`;
    return [{ type: 'stored twice', at, evidence } as const];
  });
}

import { describe } from './find-lost.ts';
import { finalAnswer, type Ledger } from './ledger.ts';
import { memberKey, type StoredMessage, type Truth } from './truth.ts';
import type { Fault } from './verdict.ts';

/** One UUID, one effect: no message, group, joining or leaving is in the database more often than it was asked for. */
export function findStoredTwice(ledger: Ledger, truth: Truth): Fault[] {
  return [
    ...messagesStoredTwice(ledger, truth),
    ...groupsMadeTwice(ledger, truth),
    ...changesDoneTwice(ledger, truth),
  ];
}

function messagesStoredTwice({ sends }: Ledger, { messages }: Truth): Fault[] {
  const sentAt = new Map(sends.map(({ content, attempts }) => [content, attempts[0]?.at ?? 0]));
  const firstOf = new Map<string, StoredMessage>();
  const faults: Fault[] = [];
  for (const message of messages) {
    // By content, which is like no other's: a second row may well have another request id.
    const content = `${message.senderSid} ${message.content}`;
    const first = firstOf.get(content);
    if (first) {
      const at = sentAt.get(message.content) ?? 0;
      faults.push({ kind: 'stored twice', at, evidence: `${describe(first)} is also ${describe(message)}` });
    } else firstOf.set(content, message);
  }
  return faults;
}

function groupsMadeTwice({ changes }: Ledger, { groups }: Truth): Fault[] {
  const groupIds = new Map<string, number[]>();
  for (const { groupId, name } of groups) groupIds.set(name, [...(groupIds.get(name) ?? []), groupId]);
  return changes.flatMap((change) => {
    if (change.kind !== 'create' || change.name === '') return [];
    const made = groupIds.get(change.name) ?? [];
    if (made.length < 2) return [];
    const evidence = `request ${change.id} of ${change.sid} made the groups ${made.join(', ')}`;
    return [{ kind: 'stored twice', at: change.attempts[0]?.at ?? 0, evidence } as const];
  });
}

/** More leaves in the database than requests for them, or more joins: a repetition took effect again. */
function changesDoneTwice({ changes }: Ledger, { memberships }: Truth): Fault[] {
  const asked = new Map<string, { count: number; at: number }>();
  const note = (key: string, at: number) => {
    const { count } = asked.get(key) ?? { count: 0 };
    asked.set(key, { count: count + 1, at });
  };
  for (const change of changes) {
    const at = change.attempts[0]?.at ?? 0;
    const answer = finalAnswer(change);
    if (change.kind === 'leave') note(`left ${memberKey(change.groupId, change.sid)}`, at);
    if (change.kind === 'add') note(`joined ${memberKey(change.groupId, change.member)}`, at);
    if (change.kind !== 'create' || !answer?.ok || answer.groupId === undefined) continue;
    for (const sid of change.members) note(`joined ${memberKey(answer.groupId, sid)}`, at);
  }
  const done = new Map<string, number>();
  for (const { change, groupId, sid } of memberships) {
    const key = `${change} ${memberKey(groupId, sid)}`;
    done.set(key, (done.get(key) ?? 0) + 1);
  }
  return [...done].flatMap(([key, times]) => {
    const { count, at } = asked.get(key) ?? { count: 0, at: 0 };
    if (times <= count) return [];
    const [change, group, sid] = key.split(' ');
    const evidence = `${sid} ${change} group ${group} ${times} times, asked for ${count} times`;
    return [{ kind: 'stored twice', at, evidence } as const];
  });
}

import { expect, test } from '@jest/globals';
import { LocalMembers } from './local-members.ts';

const groupId = 7;

/** Users who are here, and what was done to their subscriptions. */
function here(...userIds: number[]) {
  const done: string[] = [];
  const find = (userId: number) =>
    userIds.includes(userId)
      ? {
          subscriptionsTo: () => [
            {
              leave: () => done.push(`${userId} leaves`),
              restart: (joinedSeq: number) => done.push(`${userId} goes on from ${joinedSeq}`),
            },
          ],
        }
      : undefined;
  const members = new LocalMembers(groupId, { find });
  const apply = (...joined: [userId: number, joinedSeq: number][]) => [
    ...members.apply({ members: joined.map(([userId, seq]) => [userId, `1.${userId}`, seq] as const) }, true),
  ];
  return { members, apply, done, ids: () => [...members.cursors()].map(({ userId }) => userId) };
}

test.each([[[1]], [[1, 2]], [[1, 2, 3]]])(
  'of %j who are here, those whom a state names have a cursor',
  (all) => {
    const { members, apply, ids, done } = here(...all);
    const named = all.map((userId): [number, number] => [userId, 10 * userId]);
    expect(apply(...named, [99, 5])).toEqual(all);
    expect(ids()).toEqual(all);
    const cursors = all.map((userId) => members.cursorOf(userId));
    expect(cursors.map((cursor) => cursor?.joinedSeq)).toEqual(all.map((userId) => 10 * userId));
    expect([members.cursorOf(99), members.cursorOf(0)]).toEqual([undefined, undefined]);

    // The same again keeps them.
    apply(...named);
    expect(all.every((userId, at) => members.cursorOf(userId) === cursors[at])).toBe(true);

    // The first was away in between.
    apply([1, 50], ...named.slice(1));
    expect(members.cursorOf(1)).toBe(cursors[0]);
    expect(cursors[0]?.joinedSeq).toBe(50);
    expect(done).toEqual(['1 goes on from 50']);

    members.forget(99);
    expect(ids()).toEqual(all);
    apply([1, 50]);
    expect(ids()).toEqual([1]);
    expect(done.slice(1)).toEqual(all.slice(1).map((userId) => `${userId} leaves`));
    members.forget(1);
    expect(ids()).toEqual([]);
    expect(members.cursorOf(1)).toBeUndefined();
  },
);

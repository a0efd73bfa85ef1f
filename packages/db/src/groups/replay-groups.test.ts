import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cores, newGroup, openCores, sendMany } from '../../test/test-db.ts';
import { cursorRaise } from '../cursors/cursor-raise.ts';
import { readGroupIds } from '../cursors/group-ids.ts';
import type { Db } from '../session/db.ts';
import { groupCreate } from './group-create.ts';
import { groupLeave } from './group-leave.ts';
import { groupsAtSignIn } from './groups-at-sign-in.ts';
import { replayGroups } from './replay-groups.ts';

let cores: Cores;
let db: Db;
beforeAll(async () => {
  cores = await openCores();
  db = cores.one;
});
afterAll(() => cores.close());

const ask = () => ({ request_id: randomUUID(), repeatable: true });

test('memberships are read for many users at once, ordered by group, only of groups they are in', async () => {
  const first = await newGroup(db, 3);
  const [me, you] = first.users;
  const second = await newGroup(db, 2);
  const third = await groupCreate(db, {
    ...ask(),
    ...me,
    group_name: 'third',
    member_sids: [me.sid, you.sid, second.users[0].sid],
  });
  if (!third.ok) throw new Error(third.reason);
  await sendMany(db, third.group_id, me, 2);

  const mine = [first.group_id, third.group_id];
  const theirs = [second.group_id, third.group_id];
  const read = await replayGroups(db, [
    { user_id: me.user_id, group_ids: [third.group_id, 2 ** 53, second.group_id, ...mine] },
    { user_id: 2 ** 53, group_ids: mine },
    { user_id: second.users[0].user_id, group_ids: [...mine, ...theirs] },
  ]);
  expect(read.map((memberships) => memberships.map(({ group_id }) => group_id))).toEqual([mine, [], theirs]);
  expect(read[0]?.[1]).toEqual({
    group_id: third.group_id,
    version: third.state.version,
    closed: false,
    joined_seq: 0,
    last_seq: 2,
    delivered_seq: 0,
    delivered_version: 0,
    retried_version: 0,
  });
  expect(await replayGroups(db, [])).toEqual([]);
  const cursors = (groupIds: number[]) => groupIds.map((group_id) => ({ group_id, delivered_seq: 0 }));
  expect(await readGroupIds(db, [me.user_id, 2 ** 53, second.users[0].user_id])).toEqual([
    cursors(mine),
    [],
    cursors(theirs),
  ]);
});

test('a closed group is among its last member’s groups only while something of it is undelivered', async () => {
  const { group_id, users } = await newGroup(db, 2);
  const [me, you] = users;
  await sendMany(db, group_id, you, 2);
  await groupLeave(db, { ...ask(), user_id: you.user_id, group_id });
  const seen = async () => {
    const [memberships] = await replayGroups(db, [{ user_id: me.user_id, group_ids: [group_id] }]);
    const [cursors] = await readGroupIds(db, [me.user_id]);
    const ids = cursors?.map((cursor) => cursor.group_id);
    expect(ids).toEqual(memberships?.map(({ group_id }) => group_id));
    return ids;
  };
  const raise = (delivered_seq: number, delivered_version: number) =>
    cursorRaise(db, [{ user_id: me.user_id, group_id, delivered_seq, delivered_version }]);

  expect(await seen()).toEqual([group_id]);
  await raise(2, 1);
  expect(await seen()).toEqual([group_id]); // The last state is missing.
  await raise(2, 2);
  expect(await seen()).toEqual([]);
});

test('what a sign-in reads in one statement is what the reads of groups and of memberships say', async () => {
  const open = await newGroup(db, 3);
  const [me, you] = open.users;
  const closed = await groupCreate(db, {
    ...ask(),
    ...you,
    group_name: 'closed',
    member_sids: [me.sid, you.sid],
  });
  if (!closed.ok) throw new Error(closed.reason);
  await sendMany(db, open.group_id, you, 2);
  await cursorRaise(db, [
    { user_id: me.user_id, group_id: open.group_id, delivered_seq: 1, delivered_version: 1 },
  ]);
  const nobody = 2 ** 53 - 1;
  const userIds = [me.user_id, nobody, you.user_id];
  const expectSame = async () => {
    const groups = (await readGroupIds(db, userIds)).map((cursors) =>
      cursors.map(({ group_id }) => group_id),
    );
    const memberships = await replayGroups(
      db,
      userIds.map((user_id, index) => ({ user_id, group_ids: groups[index] ?? [] })),
    );
    const read = await groupsAtSignIn(db, userIds, 10);
    expect(read).toEqual(memberships.map((found) => ({ memberships: found, credentialVersion: 0 })));
    return groups.map(({ length }) => length);
  };

  expect(await expectSame()).toEqual([2, 0, 2]);
  await groupLeave(db, { ...ask(), user_id: you.user_id, group_id: closed.group_id });
  await cursorRaise(db, [
    { user_id: me.user_id, group_id: closed.group_id, delivered_seq: 0, delivered_version: 2 },
  ]);
  expect(await expectSame()).toEqual([1, 0, 1]);
});

test('of a user with more groups than a sign-in reads none is told, and the others are', async () => {
  const { users } = await newGroup(db, 2);
  const [me, you] = users;
  const more = await groupCreate(db, {
    ...ask(),
    ...me,
    group_name: 'more',
    member_sids: [me.sid, (await newGroup(db, 2)).users[0].sid],
  });
  if (!more.ok) throw new Error(more.reason);
  const userIds = [me.user_id, you.user_id];
  const told = async (groupsMax: number) =>
    (await groupsAtSignIn(db, userIds, groupsMax)).map(({ memberships }) => memberships?.length);
  expect(await told(1)).toEqual([undefined, 1]);
  expect(await told(2)).toEqual([2, 1]);
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cores, newGroup, openCores, sendMany } from '../../test/test-db.ts';
import { cursorRaise } from '../cursors/cursor-raise.ts';
import { readGroupIds } from '../cursors/group-ids.ts';
import type { Db } from '../session/db.ts';
import { groupCreate } from './group-create.ts';
import { groupLeave } from './group-leave.ts';
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
  const { users } = await newGroup(db, 3);
  const [me, you] = users;
  const second = await newGroup(db, 2);
  const third = await groupCreate(db, {
    ...ask(),
    ...me,
    group_name: 'third',
    member_sids: [me.sid, you.sid, second.users[0].sid],
  });
  if (!third.ok) throw new Error(third.reason);
  await sendMany(db, third.group_id, me, 2);

  const [mine, some, none, theirs] = await replayGroups(db, [
    { user_id: me.user_id, group_ids: null },
    { user_id: me.user_id, group_ids: [third.group_id, 2 ** 53, second.group_id, third.group_id] },
    { user_id: 2 ** 53, group_ids: null },
    { user_id: second.users[0].user_id, group_ids: null },
  ]);
  expect(mine?.map(({ state }) => state?.group_name)).toEqual(['group', 'third']);
  const [withoutStates] = await replayGroups(db, [
    { user_id: me.user_id, group_ids: null, without_states: true },
  ]);
  expect(withoutStates?.[1]).toEqual({
    group_id: third.group_id,
    version: third.state.version,
    closed: false,
    joined_seq: 0,
    last_seq: 2,
    delivered_seq: 0,
    delivered_version: 0,
    retried_version: 0,
  });
  expect(mine?.[1]).toEqual({ ...withoutStates?.[1], state: third.state });
  expect(some).toEqual([mine?.[1]]);
  expect(none).toEqual([]);
  expect(theirs?.map(({ group_id }) => group_id)).toEqual([second.group_id, third.group_id]);
  expect(await replayGroups(db, [])).toEqual([]);
  expect(await readGroupIds(db, [me.user_id, 2 ** 53, second.users[0].user_id])).toEqual([
    mine?.map(({ group_id, delivered_seq }) => ({ group_id, delivered_seq })),
    [],
    theirs?.map(({ group_id, delivered_seq }) => ({ group_id, delivered_seq })),
  ]);
});

test('a closed group is among its last member’s groups only while something of it is undelivered', async () => {
  const { group_id, users } = await newGroup(db, 2);
  const [me, you] = users;
  await sendMany(db, group_id, you, 2);
  await groupLeave(db, { ...ask(), user_id: you.user_id, group_id });
  const seen = async () => {
    const [memberships] = await replayGroups(db, [{ user_id: me.user_id, group_ids: null }]);
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

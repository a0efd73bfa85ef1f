import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  type Cores,
  newGroup,
  openCores,
  sendMany,
  type TestUser,
  waitUntilBlocked,
} from '../../test/test-db.ts';
import { replayGroups } from '../groups/replay-groups.ts';
import type { Db } from '../session/db.ts';
import { cursorRaise } from './cursor-raise.ts';

let cores: Cores;
let db: Db;
beforeAll(async () => {
  cores = await openCores();
  db = cores.one;
});
afterAll(() => cores.close());

async function cursorOf({ user_id }: TestUser, group_id: number) {
  const [[membership] = []] = await replayGroups(db, [{ user_id, group_ids: [group_id] }]);
  return membership && [membership.delivered_seq, membership.delivered_version];
}

test('cursors only grow, each part by itself, and never beyond what the group has', async () => {
  const { group_id, users } = await newGroup(db, 2);
  const [me, you] = users;
  await sendMany(db, group_id, me, 5);
  const raise = (delivered_seq: number, delivered_version: number) => ({
    user_id: me.user_id,
    group_id,
    delivered_seq,
    delivered_version,
  });
  await cursorRaise(db, [raise(2, 0), raise(3, 0), raise(1, 0)]);
  expect(await cursorOf(me, group_id)).toEqual([3, 0]);
  await cursorRaise(db, [raise(1, 1), raise(0, 0)]);
  expect(await cursorOf(me, group_id)).toEqual([3, 1]);
  await cursorRaise(db, [raise(2 ** 53, 2 ** 53)]);
  expect(await cursorOf(me, group_id)).toEqual([5, 1]);
  expect(await cursorOf(you, group_id)).toEqual([0, 0]);
});

test('cursors of strangers and of unknown groups change nothing and leave other cursors alone', async () => {
  const { group_id, users } = await newGroup(db, 2);
  await sendMany(db, group_id, users[0], 1);
  const cursor = { delivered_seq: 1, delivered_version: 1 };
  await cursorRaise(db, []);
  await cursorRaise(db, [
    { user_id: 2 ** 53, group_id, ...cursor },
    { user_id: users[0].user_id, group_id: 2 ** 53, ...cursor },
    { user_id: users[0].user_id, group_id, ...cursor },
  ]);
  expect(await cursorOf(users[0], group_id)).toEqual([1, 1]);
});

test('cursor updates from two sessions in opposite orders do not deadlock', async () => {
  const { group_id, users } = await newGroup(db, 2);
  await sendMany(db, group_id, users[0], 3);
  const [low, high] = [...users].sort((a, b) => a.user_id - b.user_id) as [TestUser, TestUser];
  const cursor = ({ user_id }: TestUser) => ({ user_id, group_id, delivered_seq: 3, delivered_version: 1 });
  const { session, two } = cores;
  const lock = 'SELECT FROM group_member WHERE group_id = $1 AND user_id = $2 FOR UPDATE';

  await session.query('BEGIN');
  await session.query(lock, [group_id, low.user_id]);
  const raising = cursorRaise(two, [cursor(high), cursor(low)]);
  await waitUntilBlocked(cores, 'two');
  // It has not begun with the first of its batch, or this would be a deadlock.
  await session.query(`${lock} NOWAIT`, [group_id, high.user_id]);
  await session.query('COMMIT');
  await raising;

  expect(await cursorOf(low, group_id)).toEqual([3, 1]);
  expect(await cursorOf(high, group_id)).toEqual([3, 1]);
});

test('a raise that waited for a higher one does not lower it', async () => {
  const { group_id, users } = await newGroup(db, 2);
  await sendMany(db, group_id, users[0], 3);
  const { session, two } = cores;
  await session.query('BEGIN');
  await session.query('UPDATE group_member SET delivered_seq = 3 WHERE group_id = $1 AND user_id = $2', [
    group_id,
    users[0].user_id,
  ]);
  const raising = cursorRaise(two, [
    { user_id: users[0].user_id, group_id, delivered_seq: 2, delivered_version: 1 },
  ]);
  await waitUntilBlocked(cores, 'two');
  await session.query('COMMIT');
  await raising;
  expect(await cursorOf(users[0], group_id)).toEqual([3, 1]);
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { age, freshDatabase, newGroup, sendMany } from '../../test/test-db.ts';
import { cursorRaise } from '../cursors/cursor-raise.ts';
import { groupAddMember } from '../groups/group-add-member.ts';
import { groupLeave } from '../groups/group-leave.ts';
import { type Db, openDb } from '../session/db.ts';
import { deliveryChecks } from './delivery-checks.ts';
import { sweepGroups } from './sweep-groups.ts';
import { beginSweep, moveSweep, readSweepPlace } from './sweep-place.ts';

/** What `age` has made old is older; what has just been made is younger, on a slow machine, too. */
const deadlineMs = 30_000;
const day = 86_400_000;

const openFreshDb = async () => openDb({ url: await freshDatabase(), applicationName: 'test' });

let db: Db;
beforeAll(async () => {
  db = await openFreshDb();
});
afterAll(() => db.close());

const deliveryCheck = async (group_id: number, olderThanMs: number) =>
  (await deliveryChecks(db, [group_id], olderThanMs))[0];

const ask = () => ({ request_id: randomUUID(), repeatable: true });

test('a delivery check says how far a group is, and how far what is old enough goes', async () => {
  const { group_id, users } = await newGroup(db, 2);
  expect(await deliveryCheck(group_id, deadlineMs)).toEqual({
    group_id,
    version: 1,
    last_seq: 0,
    due_seq: 0,
    due_version: 0,
  });
  await sendMany(db, group_id, users[0], 5);
  await age(db, group_id, { seq: 3, state: true });
  expect(await deliveryCheck(group_id, deadlineMs)).toMatchObject({
    last_seq: 5,
    due_seq: 3,
    due_version: 1,
  });
  expect(await deliveryCheck(group_id, day)).toMatchObject({ last_seq: 5, due_seq: 0, due_version: 0 });
  expect(await deliveryCheck(2 ** 53, deadlineMs)).toBeUndefined();
});

test('one statement checks many groups, each for itself, and leaves out those that do not exist', async () => {
  const [quiet, busy] = [await newGroup(db, 2), await newGroup(db, 2)];
  await sendMany(db, busy.group_id, busy.users[0], 3);
  await age(db, busy.group_id, { seq: 2, state: true });
  const checks = await deliveryChecks(db, [busy.group_id, 2 ** 53, quiet.group_id], deadlineMs);
  expect(checks.sort((a, b) => a.group_id - b.group_id)).toEqual([
    { group_id: quiet.group_id, version: 1, last_seq: 0, due_seq: 0, due_version: 0 },
    { group_id: busy.group_id, version: 1, last_seq: 3, due_seq: 2, due_version: 1 },
  ]);
});

test('every change of a group makes its state young again, a message does not', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const other = await newGroup(db, 2);
  const dueVersion = async () => (await deliveryCheck(group_id, deadlineMs))?.due_version;
  await age(db, group_id, { state: true });
  await sendMany(db, group_id, users[0], 1);
  expect(await dueVersion()).toBe(1);
  const by = { ...ask(), user_id: users[0].user_id, group_id };
  await groupAddMember(db, { ...by, member_sid: other.users[0].sid });
  expect(await dueVersion()).toBe(0);
  await age(db, group_id, { state: true });
  expect(await dueVersion()).toBe(2);
  await groupLeave(db, { ...ask(), user_id: other.users[0].user_id, group_id });
  expect(await dueVersion()).toBe(0);
});

test('the sweep finds the groups with an overdue member, page by page, and says where it ends', async () => {
  const own = await openFreshDb();
  try {
    const [a, b, c] = [await newGroup(own, 2), await newGroup(own, 2), await newGroup(own, 2)];
    const [d, e] = [await newGroup(own, 2), await newGroup(own, 2)];
    for (const { group_id, users } of [a, c, d]) {
      const cursor = { group_id, delivered_seq: 0, delivered_version: 1 };
      await cursorRaise(
        own,
        users.map(({ user_id }) => ({ user_id, ...cursor })),
      );
    }
    await sendMany(own, c.group_id, c.users[0], 2);
    await age(own, c.group_id, { seq: 1, state: true });
    const page = (after_group_id: number) => sweepGroups(own, { after_group_id, limit: 2, deadlineMs });
    const idsOf = (found: Awaited<ReturnType<typeof page>>) => found.overdue.map(({ group_id }) => group_id);
    const first = await page(0);
    expect([idsOf(first), first.groups, first.through_group_id]).toEqual([[b.group_id], 2, b.group_id]);
    const second = await page(first.through_group_id);
    expect(second.overdue).toEqual([
      { group_id: c.group_id, version: 1, last_seq: 2, due_seq: 1, due_version: 1 },
    ]);
    const third = await page(second.through_group_id);
    expect([idsOf(third), third.groups, third.through_group_id]).toEqual([[e.group_id], 1, e.group_id]);
    expect(await page(third.through_group_id)).toEqual({
      overdue: [],
      groups: 0,
      through_group_id: third.through_group_id,
    });
  } finally {
    await own.close();
  }
});

test('of two runs of the sweep at once one moves its place, and a new walk overrides both', async () => {
  expect(await readSweepPlace(db)).toBeNull();
  const begun = await beginSweep(db, 'one');
  expect(begun).toEqual({ after_group_id: 0, epoch: 'one', is_catching_up: true, revision: 0 });
  expect(await moveSweep(db, { ...begun, after_group_id: 10, is_catching_up: false })).toBe(true);
  expect(await moveSweep(db, { ...begun, after_group_id: 20 })).toBe(false);
  const moved = await readSweepPlace(db);
  expect(moved).toMatchObject({ after_group_id: 10, epoch: 'one', is_catching_up: false });
  const again = await beginSweep(db, 'two');
  expect(again).toMatchObject({ after_group_id: 0, epoch: 'two', is_catching_up: true });
  expect(moved && (await moveSweep(db, moved))).toBe(false);
});

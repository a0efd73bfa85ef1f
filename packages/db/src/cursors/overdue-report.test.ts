import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { age, freshDatabase, newGroup, sendMany, type TestUser } from '../../test/test-db.ts';
import { groupAddMember } from '../groups/group-add-member.ts';
import { groupCreate } from '../groups/group-create.ts';
import { replayGroups } from '../groups/replay-groups.ts';
import { type Db, openDb } from '../session/db.ts';
import { setRetriedVersions } from '../sweep/set-retried-versions.ts';
import { cursorRaise } from './cursor-raise.ts';
import { overdueReport } from './overdue-report.ts';

/** What `age` has made old is older; what has just been made is younger, on a slow machine, too. */
const deadlineMs = 30_000;

let db: Db;
beforeAll(async () => {
  db = openDb({ url: await freshDatabase(), applicationName: 'test' });
});
afterAll(() => db.close());

const ask = () => ({ request_id: randomUUID(), repeatable: true });

function raise({ user_id }: TestUser, group_id: number, delivered_seq: number, delivered_version = 1) {
  return cursorRaise(db, [{ user_id, group_id, delivered_seq, delivered_version }]);
}

async function overdueOf({ user_id }: TestUser, ms = deadlineMs) {
  const [overdue] = await overdueReport(db, [user_id], ms);
  if (!overdue) throw new Error('no row');
  return overdue;
}

test('what is due and not acknowledged is overdue, in any group of a user, and nothing else is', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const [me, you] = users;
  const none = { messages: { groups: [] }, states: { groups: [] } };
  expect(await overdueOf(me)).toMatchObject(none);
  await sendMany(db, group_id, you, 4);
  await age(db, group_id, { seq: 2, state: true });
  const states = { groups: [{ group_id, version: 1 }] };
  expect(await overdueOf(me)).toMatchObject({ messages: { groups: [group_id] }, states });
  await raise(me, group_id, 1, 0);
  expect(await overdueOf(me)).toMatchObject({ messages: { groups: [group_id] }, states });
  await raise(me, group_id, 2, 0);
  expect(await overdueOf(me)).toMatchObject({ messages: { groups: [] }, states });
  await raise(me, group_id, 2, 1);
  expect(await overdueOf(me)).toMatchObject(none);

  // A member who joined later owes nothing older.
  const late = (await newGroup(db, 2)).users[0];
  await groupAddMember(db, { ...ask(), user_id: me.user_id, group_id, member_sid: late.sid });
  await age(db, group_id, { seq: 4 });
  expect(await overdueOf(late)).toMatchObject({ messages: { groups: [] } });
  const [unknown, lates, mine] = await overdueReport(db, [2 ** 53, late.user_id, me.user_id], 0);
  expect(unknown).toMatchObject(none);
  expect(lates?.states.groups).toContainEqual({ group_id, version: 2 });
  expect(mine).toMatchObject({ messages: { groups: [group_id] }, states: { groups: [{ version: 2 }] } });
  expect(await overdueReport(db, [], 0)).toEqual([]);
});

test('the mark of what is overdue changes with every acknowledgement, and with nothing else', async () => {
  const { group_id, users } = await newGroup(db, 2);
  const [me, you] = users;
  const elsewhere = await groupCreate(db, {
    ...ask(),
    ...me,
    group_name: 'x',
    member_sids: [me.sid, you.sid],
  });
  if (!elsewhere.ok) throw new Error(elsewhere.reason);
  await sendMany(db, group_id, you, 5);
  await age(db, group_id, { seq: 5, state: true });
  const first = await overdueOf(me);
  await sendMany(db, group_id, you, 5);
  expect(await overdueOf(me)).toEqual(first);
  await raise(me, group_id, 2, 0);
  const second = await overdueOf(me);
  expect(second.messages.mark).not.toBe(first.messages.mark);
  expect(second.states).toEqual(first.states);
});

test('a state that was sent often enough is not overdue any more, a newer one is', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const [me, you] = users;
  await age(db, group_id, { state: true });
  await setRetriedVersions(db, me.user_id, [{ group_id, version: 1 }]);
  await setRetriedVersions(db, me.user_id, [{ group_id, version: 0 }]);
  await setRetriedVersions(db, me.user_id, []);
  await setRetriedVersions(db, 2 ** 53, [{ group_id, version: 1 }]);
  const [[membership] = []] = await replayGroups(db, [{ user_id: me.user_id, group_ids: [group_id] }]);
  expect(membership).toMatchObject({ retried_version: 1, delivered_version: 0 });
  expect((await overdueOf(me)).states.groups).toEqual([]);
  expect((await overdueOf(you)).states.groups).toEqual([{ group_id, version: 1 }]);
  const late = (await newGroup(db, 2)).users[0];
  await groupAddMember(db, { ...ask(), user_id: you.user_id, group_id, member_sid: late.sid });
  await age(db, group_id, { state: true });
  expect((await overdueOf(me)).states.groups).toEqual([{ group_id, version: 2 }]);
});

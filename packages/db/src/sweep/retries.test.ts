import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { aSend, freshDatabase, newGroup, type Person } from '../../test/test-db.ts';
import { cursorRaise } from '../cursors/cursor-raise.ts';
import { overdueReport } from '../cursors/overdue-report.ts';
import { findAnswers } from '../groups/find-answers.ts';
import { fingerprint } from '../groups/fingerprint.ts';
import { groupAddMember } from '../groups/group-add-member.ts';
import { groupCreate } from '../groups/group-create.ts';
import { groupLeave } from '../groups/group-leave.ts';
import { replayGroups } from '../groups/replay-groups.ts';
import { findStored } from '../messages/find-stored.ts';
import { messagingSend } from '../messages/messaging-send.ts';
import { type Db, openDb } from '../session/db.ts';
import { deliveryCheck } from './delivery-check.ts';
import { setRetriedVersions } from './set-retried-versions.ts';
import { sweepGroups } from './sweep-groups.ts';
import { beginSweep, moveSweep, readSweepPlace } from './sweep-place.ts';

const deadlineMs = 5_000;
const day = 86_400_000;

const openFreshDb = async () => openDb({ url: await freshDatabase(), applicationName: 'test' });

let db: Db;
beforeAll(async () => {
  db = await openFreshDb();
});
afterAll(() => db.close());

const ask = () => ({ request_id: randomUUID(), repeatable: true });

async function say(on: Db, group_id: number, sender: Person, count: number): Promise<void> {
  await messagingSend(
    on,
    Array.from({ length: count }, () => aSend(sender, group_id)),
  );
}

/** Makes all messages up to a seq, and the state, older by a minute. */
async function age(on: Db, group_id: number, { seq = 0, state = false }): Promise<void> {
  await on.pool.query(
    `UPDATE message SET date_created = date_created - INTERVAL '1 minute' WHERE group_id = $1 AND seq <= $2`,
    [group_id, seq],
  );
  if (!state) return;
  await on.pool.query(`UPDATE "group" SET date_changed = date_changed - INTERVAL '1 minute' WHERE id = $1`, [
    group_id,
  ]);
}

function raise({ user_id }: Person, group_id: number, delivered_seq: number, delivered_version = 1) {
  return cursorRaise(db, [{ user_id, group_id, delivered_seq, delivered_version }]);
}

async function lagOf({ user_id }: Person, ms = deadlineMs) {
  const [lag] = await overdueReport(db, [user_id], ms);
  if (!lag) throw new Error('no row');
  return lag;
}

test('an audit says how far a group is, and how far what is old enough goes', async () => {
  const { group_id, people } = await newGroup(db, 2);
  expect(await deliveryCheck(db, group_id, deadlineMs)).toEqual({
    group_id,
    version: 1,
    last_seq: 0,
    due_seq: 0,
    due_version: 0,
  });
  await say(db, group_id, people[0], 5);
  await age(db, group_id, { seq: 3, state: true });
  expect(await deliveryCheck(db, group_id, deadlineMs)).toMatchObject({
    last_seq: 5,
    due_seq: 3,
    due_version: 1,
  });
  expect(await deliveryCheck(db, group_id, day)).toMatchObject({ last_seq: 5, due_seq: 0, due_version: 0 });
  expect(await deliveryCheck(db, 2 ** 53, deadlineMs)).toBeNull();
});

test('every change of a group makes its state young again, a message does not', async () => {
  const { group_id, people } = await newGroup(db, 3);
  const other = await newGroup(db, 2);
  const dueVersion = async () => (await deliveryCheck(db, group_id, deadlineMs))?.due_version;
  await age(db, group_id, { state: true });
  await say(db, group_id, people[0], 1);
  expect(await dueVersion()).toBe(1);
  const by = { ...ask(), user_id: people[0].user_id, group_id };
  await groupAddMember(db, { ...by, member_sid: other.people[0].sid });
  expect(await dueVersion()).toBe(0);
  await age(db, group_id, { state: true });
  expect(await dueVersion()).toBe(2);
  await groupLeave(db, { ...ask(), user_id: other.people[0].user_id, group_id });
  expect(await dueVersion()).toBe(0);
});

test('somebody lags by what is due and not acknowledged, in whichever of their groups, and by nothing else', async () => {
  const { group_id, people } = await newGroup(db, 3);
  const [me, you] = people;
  const none = { messages: { groups: [] }, states: { groups: [] } };
  expect(await lagOf(me)).toMatchObject(none);
  await say(db, group_id, you, 4);
  await age(db, group_id, { seq: 2, state: true });
  const states = { groups: [{ group_id, version: 1 }] };
  expect(await lagOf(me)).toMatchObject({ messages: { groups: [group_id] }, states });
  await raise(me, group_id, 1, 0);
  expect(await lagOf(me)).toMatchObject({ messages: { groups: [group_id] }, states });
  await raise(me, group_id, 2, 0);
  expect(await lagOf(me)).toMatchObject({ messages: { groups: [] }, states });
  await raise(me, group_id, 2, 1);
  expect(await lagOf(me)).toMatchObject(none);

  // Who joined later owes nothing older.
  const late = (await newGroup(db, 2)).people[0];
  await groupAddMember(db, { ...ask(), user_id: me.user_id, group_id, member_sid: late.sid });
  await age(db, group_id, { seq: 4 });
  expect(await lagOf(late)).toMatchObject({ messages: { groups: [] } });
  const [unknown, lates, mine] = await overdueReport(db, [2 ** 53, late.user_id, me.user_id], 0);
  expect(unknown).toMatchObject(none);
  expect(lates?.states.groups).toContainEqual({ group_id, version: 2 });
  expect(mine).toMatchObject({ messages: { groups: [group_id] }, states: { groups: [{ version: 2 }] } });
  expect(await overdueReport(db, [], 0)).toEqual([]);
});

test('the mark of a lag changes with every step towards its end, and with nothing else (16)', async () => {
  const { group_id, people } = await newGroup(db, 2);
  const [me, you] = people;
  const elsewhere = await groupCreate(db, {
    ...ask(),
    ...me,
    group_name: 'x',
    member_sids: [me.sid, you.sid],
  });
  if (!elsewhere.ok) throw new Error(elsewhere.reason);
  await say(db, group_id, you, 5);
  await age(db, group_id, { seq: 5, state: true });
  const first = await lagOf(me);
  await say(db, group_id, you, 5);
  expect(await lagOf(me)).toEqual(first);
  await raise(me, group_id, 2, 0);
  const second = await lagOf(me);
  expect(second.messages.mark).not.toBe(first.messages.mark);
  expect(second.states).toEqual(first.states);
});

test('a state that was sent often enough is no lag any more, a newer one is (17)', async () => {
  const { group_id, people } = await newGroup(db, 3);
  const [me, you] = people;
  await age(db, group_id, { state: true });
  await setRetriedVersions(db, me.user_id, [{ group_id, version: 1 }]);
  await setRetriedVersions(db, me.user_id, [{ group_id, version: 0 }]);
  await setRetriedVersions(db, me.user_id, []);
  await setRetriedVersions(db, 2 ** 53, [{ group_id, version: 1 }]);
  const [[membership] = []] = await replayGroups(db, [{ user_id: me.user_id, group_ids: [group_id] }]);
  expect(membership).toMatchObject({ retried_version: 1, delivered_version: 0 });
  expect((await lagOf(me)).states.groups).toEqual([]);
  expect((await lagOf(you)).states.groups).toEqual([{ group_id, version: 1 }]);
  const late = (await newGroup(db, 2)).people[0];
  await groupAddMember(db, { ...ask(), user_id: you.user_id, group_id, member_sid: late.sid });
  await age(db, group_id, { state: true });
  expect((await lagOf(me)).states.groups).toEqual([{ group_id, version: 2 }]);
});

test('the sweep finds the groups with somebody who lags, page by page, and says where it ends', async () => {
  const own = await openFreshDb();
  try {
    const [a, b, c] = [await newGroup(own, 2), await newGroup(own, 2), await newGroup(own, 2)];
    const [d, e] = [await newGroup(own, 2), await newGroup(own, 2)];
    for (const { group_id, people } of [a, c, d]) {
      const cursor = { group_id, delivered_seq: 0, delivered_version: 1 };
      await cursorRaise(
        own,
        people.map(({ user_id }) => ({ user_id, ...cursor })),
      );
    }
    await say(own, c.group_id, c.people[0], 2);
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

test('of two runs of the sweep at once one moves its place, and a new walk overrides both (14)', async () => {
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

test('what is stored of a send is found by its request id, and stores nothing', async () => {
  const { group_id, people } = await newGroup(db, 2);
  const send = { sender_id: people[0].user_id, group_id, content: 'kept', ...ask() };
  const unknown = { ...send, ...ask() };
  await say(db, group_id, people[1], 1);
  const [stored] = await messagingSend(db, [send]);
  if (!stored?.ok) throw new Error('not stored');
  const { message_id, seq, version, date_created } = stored;
  expect(await findStored(db, [unknown, send, { ...send, sender_id: people[1].user_id }])).toEqual([
    null,
    { message_id, seq, version, date_created, group_id, content: 'kept' },
    null,
  ]);
  expect(await findStored(db, [])).toEqual([]);
  expect(await deliveryCheck(db, group_id, 0)).toMatchObject({ last_seq: 2 });
});

test('the answer of a changing request is found with the state of its group as it is now', async () => {
  const { group_id, people } = await newGroup(db, 3);
  const [me, you] = people;
  const late = (await newGroup(db, 2)).people[0];
  const add = { ...ask(), user_id: me.user_id, group_id, member_sid: late.sid };
  const present = { ...ask(), user_id: me.user_id, group_id, member_sid: you.sid };
  const leave = { ...ask(), user_id: you.user_id, group_id };
  const refused = { ...ask(), user_id: 2 ** 40, group_id };
  await groupAddMember(db, add);
  await groupAddMember(db, present);
  const left = await groupLeave(db, leave);
  if (!left.ok) throw new Error(left.reason);
  await groupLeave(db, refused);
  const found = await findAnswers(db, [add, { ...add, ...ask() }, present, leave, refused]);
  expect(found).toEqual([
    {
      fingerprint: fingerprint('add', group_id, late.sid),
      answer: expect.objectContaining({ ok: true }),
      state: left.state,
    },
    null,
    {
      fingerprint: expect.any(String),
      answer: expect.objectContaining({ ok: true, changed: false }),
      state: null,
    },
    { fingerprint: fingerprint('leave', group_id), answer: { ok: true, group_id }, state: left.state },
    { fingerprint: expect.any(String), answer: { ok: false, reason: 'not_member' }, state: null },
  ]);
  expect(await findAnswers(db, [])).toEqual([]);
});

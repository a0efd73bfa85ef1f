import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { aSend, type Cores, newGroup, openCores, type Person, waitUntilBlocked } from '../../test/test-db.ts';
import { groupAddMember } from '../groups/group-add-member.ts';
import { groupCreate } from '../groups/group-create.ts';
import { groupLeave } from '../groups/group-leave.ts';
import { replayGroups } from '../groups/replay-groups.ts';
import { messageLookup } from '../messages/message-lookup.ts';
import { messagingSend } from '../messages/messaging-send.ts';
import { replayPages } from '../messages/replay-page.ts';
import type { Db } from '../session/db.ts';
import { cursorRaise } from './cursor-raise.ts';
import { readGroupIds } from './group-ids.ts';

let cores: Cores;
let db: Db;
beforeAll(async () => {
  cores = await openCores();
  db = cores.one;
});
afterAll(() => cores.close());

const ask = () => ({ request_id: randomUUID(), repeatable: true });

async function cursorOf({ user_id }: Person, group_id: number) {
  const [[membership] = []] = await replayGroups(db, [{ user_id, group_ids: [group_id] }]);
  return membership && [membership.delivered_seq, membership.delivered_version];
}

async function sayTimes(sender: Person, group_id: number, count: number): Promise<number[]> {
  const outcomes = await messagingSend(
    db,
    Array.from({ length: count }, (_, at) => aSend(sender, group_id, `${at + 1}`)),
  );
  return outcomes.map((outcome) => (outcome.ok ? outcome.message_id : 0));
}

test('cursors only grow, each part by itself, and never beyond what the group has', async () => {
  const { group_id, people } = await newGroup(db, 2);
  const [me, you] = people;
  await sayTimes(me, group_id, 5);
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

test('cursors of strangers and of unknown groups change nothing and disturb nobody', async () => {
  const { group_id, people } = await newGroup(db, 2);
  await sayTimes(people[0], group_id, 1);
  const cursor = { delivered_seq: 1, delivered_version: 1 };
  await cursorRaise(db, []);
  await cursorRaise(db, [
    { user_id: 2 ** 53, group_id, ...cursor },
    { user_id: people[0].user_id, group_id: 2 ** 53, ...cursor },
    { user_id: people[0].user_id, group_id, ...cursor },
  ]);
  expect(await cursorOf(people[0], group_id)).toEqual([1, 1]);
});

test('cursor updates from two sessions in opposite orders do not deadlock (interleaving 4)', async () => {
  const { group_id, people } = await newGroup(db, 2);
  await sayTimes(people[0], group_id, 3);
  const [low, high] = [...people].sort((a, b) => a.user_id - b.user_id) as [Person, Person];
  const cursor = ({ user_id }: Person) => ({ user_id, group_id, delivered_seq: 3, delivered_version: 1 });
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

test('a raise that waited for a higher one does not lower it (interleaving 4)', async () => {
  const { group_id, people } = await newGroup(db, 2);
  await sayTimes(people[0], group_id, 3);
  const { session, two } = cores;
  await session.query('BEGIN');
  await session.query('UPDATE group_member SET delivered_seq = 3 WHERE group_id = $1 AND user_id = $2', [
    group_id,
    people[0].user_id,
  ]);
  const raising = cursorRaise(two, [
    { user_id: people[0].user_id, group_id, delivered_seq: 2, delivered_version: 1 },
  ]);
  await waitUntilBlocked(cores, 'two');
  await session.query('COMMIT');
  await raising;
  expect(await cursorOf(people[0], group_id)).toEqual([3, 1]);
});

test('memberships are read for many people at once, ordered by group, only of groups they are in', async () => {
  const { people } = await newGroup(db, 3);
  const [me, you] = people;
  const second = await newGroup(db, 2);
  const third = await groupCreate(db, {
    ...ask(),
    ...me,
    group_name: 'third',
    member_sids: [me.sid, you.sid, second.people[0].sid],
  });
  if (!third.ok) throw new Error(third.reason);
  await sayTimes(me, third.group_id, 2);

  const [mine, some, none, theirs] = await replayGroups(db, [
    { user_id: me.user_id, group_ids: null },
    { user_id: me.user_id, group_ids: [third.group_id, 2 ** 53, second.group_id, third.group_id] },
    { user_id: 2 ** 53, group_ids: null },
    { user_id: second.people[0].user_id, group_ids: null },
  ]);
  expect(mine?.map(({ state }) => state.group_name)).toEqual(['group', 'third']);
  expect(mine?.[1]).toEqual({
    state: third.state,
    last_seq: 2,
    delivered_seq: 0,
    delivered_version: 0,
    retried_version: 0,
  });
  expect(some).toEqual([mine?.[1]]);
  expect(none).toEqual([]);
  expect(theirs?.map(({ state }) => state.group_id)).toEqual([second.group_id, third.group_id]);
  expect(await replayGroups(db, [])).toEqual([]);
  expect(await readGroupIds(db, [me.user_id, 2 ** 53, second.people[0].user_id])).toEqual([
    mine?.map(({ state, delivered_seq }) => ({ group_id: state.group_id, delivered_seq })),
    [],
    theirs?.map(({ state, delivered_seq }) => ({ group_id: state.group_id, delivered_seq })),
  ]);
});

test('a closed group is among its last member’s groups only while something of it is undelivered', async () => {
  const { group_id, people } = await newGroup(db, 2);
  const [me, you] = people;
  await sayTimes(you, group_id, 2);
  await groupLeave(db, { ...ask(), user_id: you.user_id, group_id });
  const seen = async () => {
    const [memberships] = await replayGroups(db, [{ user_id: me.user_id, group_ids: null }]);
    const [cursors] = await readGroupIds(db, [me.user_id]);
    const ids = cursors?.map((cursor) => cursor.group_id);
    expect(ids).toEqual(memberships?.map(({ state }) => state.group_id));
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

test('a page holds what follows, oldest first, up to the limit, and the state only if it is newer', async () => {
  const { group_id, people } = await newGroup(db, 3);
  const ids = await sayTimes(people[0], group_id, 5);
  const ask = (after_seq: number, known_version: number) => ({ group_id, after_seq, known_version });
  const pages = await replayPages(
    db,
    [ask(0, 0), ask(3, 1), { ...ask(0, 0), group_id: 2 ** 53 }, ask(99, 9)],
    4,
  );

  expect(pages.map((page) => page?.messages.map(({ seq }) => seq))).toEqual([
    [1, 2, 3, 4],
    [4, 5],
    undefined,
    [],
  ]);
  expect(pages[0]).toMatchObject({ group_id, version: 1, last_seq: 5, state: { group_id, version: 1 } });
  expect(pages[0]?.messages[1]).toMatchObject({
    message_id: ids[1],
    sender_sid: people[0].sid,
    content: '2',
  });
  expect(pages[1]).toMatchObject({ version: 1, state: null });
  expect(pages[2]).toBeNull();
  expect(await replayPages(db, [])).toEqual([]);
});

test('a page ends before a megabyte of content, but has one message at least', async () => {
  const { group_id, people } = await newGroup(db, 2);
  const sizes = [1_100_000, 600_000, 600_000, 10, 600_000];
  await messagingSend(
    db,
    sizes.map((size) => aSend(people[0], group_id, 'x'.repeat(size))),
  );
  const seqsAfter = async (after_seq: number) => {
    const [page] = await replayPages(db, [{ group_id, after_seq, known_version: 1 }]);
    return page?.messages.map(({ seq }) => seq);
  };
  expect(await seqsAfter(0)).toEqual([1]);
  expect(await seqsAfter(1)).toEqual([2, 3]);
  expect(await seqsAfter(3)).toEqual([4, 5]);
});

test('receipts are found for messages of my groups since I joined, and for no others', async () => {
  const { group_id, people } = await newGroup(db, 3);
  const other = await newGroup(db, 2);
  const before = await sayTimes(people[0], group_id, 2);
  const late = other.people[0];
  await groupAddMember(db, { ...ask(), user_id: people[0].user_id, group_id, member_sid: late.sid });
  const after = await sayTimes(people[0], group_id, 1);
  const elsewhere = await sayTimes(other.people[1], other.group_id, 1);
  const message_ids = [...before, ...after, ...elsewhere, ...after, 2 ** 53];

  const [mine, lates, none, nothing] = await messageLookup(db, [
    { user_id: people[1].user_id, message_ids },
    { user_id: late.user_id, message_ids },
    { user_id: 2 ** 53, message_ids },
    { user_id: late.user_id, message_ids: [] },
  ]);
  expect(mine).toEqual([
    [before[0], group_id, 1],
    [before[1], group_id, 2],
    [after[0], group_id, 3],
  ]);
  expect(lates).toEqual([
    [after[0], group_id, 3],
    [elsewhere[0], other.group_id, 1],
  ]);
  expect([none, nothing]).toEqual([[], []]);
});

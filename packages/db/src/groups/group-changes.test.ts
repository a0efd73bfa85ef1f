import { randomUUID } from 'node:crypto';
import type { GroupState } from '@hooligram/contract';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type pg from 'pg';
import {
  aSend,
  type Cores,
  interleave,
  newGroup,
  newSid,
  openCores,
  storeOne,
  type TestUser,
  userOf,
} from '../../test/test-db.ts';
import { readGroupIds } from '../cursors/group-ids.ts';
import { messagingSendStatement } from '../messages/messaging-send.sql.ts';
import { messagingSend } from '../messages/messaging-send.ts';
import type { Db } from '../session/db.ts';
import { fingerprint } from './fingerprint.ts';
import { groupAddMember } from './group-add-member.ts';
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
const sidsOf = (state: GroupState | null) => state?.members.map(([, sid]) => sid);

function creation(creator: { user_id: number; sid: string }, sids: string[], name = 'group') {
  return { ...ask(), ...creator, group_name: name, member_sids: sids };
}

/** The three changes as another core makes them, within the transaction of `session`. */
function createIn(session: pg.Client, request: ReturnType<typeof creation>) {
  const { user_id, request_id, group_name, member_sids } = request;
  return session.query('SELECT group_create($1, $2, true, $3, $4, $5)', [
    user_id,
    request_id,
    fingerprint('create', group_name, [...member_sids].sort()),
    group_name,
    member_sids,
  ]);
}

function addIn(session: pg.Client, by: TestUser, group_id: number, sid: string, request_id = randomUUID()) {
  const asked = fingerprint('add', group_id, sid);
  return session.query('SELECT group_add_member($1, $2, true, $3, $4, $5)', [
    by.user_id,
    request_id,
    asked,
    group_id,
    sid,
  ]);
}

function leaveIn(session: pg.Client, who: TestUser, group_id: number) {
  const asked = fingerprint('leave', group_id);
  return session.query('SELECT group_leave($1, $2, true, $3, $4)', [
    who.user_id,
    randomUUID(),
    asked,
    group_id,
  ]);
}

async function aUser(): Promise<TestUser> {
  const { users } = await newGroup(db, 3);
  return users[0];
}

test('a created group has its distinct members sorted by code unit, unknown users among them', async () => {
  const me = await aUser();
  const sids = ['44.9', '1.5', '44.10', me.sid, '1.5', '104.7'];
  const created = await groupCreate(db, creation(me, sids, 'Ünï "x"'));
  expect(created).toMatchObject({ ok: true });
  const { state, group_id } = created as typeof created & { ok: true };
  expect(sidsOf(state)).toEqual([...new Set(sids)].sort());
  expect(state).toMatchObject({
    group_id,
    version: 1,
    version_seq: 0,
    group_name: 'Ünï "x"',
    is_direct_message: false,
    closed: false,
  });
  expect(state.date_created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(state.members.every(([, , joinedSeq]) => joinedSeq === 0)).toBe(true);
});

test('creating again with the same id answers the same group, after it was closed too', async () => {
  const me = await aUser();
  const request = creation(me, [me.sid, newSid()]);
  const first = await groupCreate(db, request);
  if (!first.ok) throw new Error(first.reason);
  expect(await groupCreate(cores.two, request)).toEqual(first);
  expect(await groupCreate(db, { ...request, member_sids: [...request.member_sids].reverse() })).toEqual(
    first,
  );

  await groupLeave(db, { ...ask(), user_id: me.user_id, group_id: first.group_id });
  const again = await groupCreate(db, request);
  expect(again).toMatchObject({ ok: true, group_id: first.group_id, state: { version: 2, closed: true } });
});

test('an id that was used otherwise makes no group', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const request = creation(users[0], [users[0].sid, newSid(), newSid()]);
  await groupCreate(db, request);
  const idUsed = { ok: false, reason: 'id_used' };
  expect(await groupCreate(db, { ...request, group_name: 'other' })).toEqual(idUsed);
  const { request_id } = request;
  expect(
    await groupAddMember(db, {
      ...ask(),
      request_id,
      user_id: users[0].user_id,
      group_id,
      member_sid: '1.1',
    }),
  ).toEqual(idUsed);

  const send = aSend(users[0], group_id);
  await storeOne(db, send);
  expect(await groupCreate(db, { ...request, request_id: send.request_id })).toEqual(idUsed);
  expect(
    await groupLeave(db, { ...ask(), request_id: send.request_id, user_id: users[0].user_id, group_id }),
  ).toEqual(idUsed);
});

test('a pair has one open direct message, whichever of the two asks and however often a sid is named', async () => {
  const me = await aUser();
  const sid = newSid();
  const first = await groupCreate(db, creation(me, [me.sid, sid, sid], ''));
  expect(first).toMatchObject({ ok: true, state: { is_direct_message: true } });
  const second = await groupCreate(db, creation(await userOf(db, sid), [sid, me.sid], 'named'));
  expect(second).toEqual(first);
});

test('a closed direct message gives its place to a new group', async () => {
  const me = await aUser();
  const sid = newSid();
  const first = await groupCreate(db, creation(me, [me.sid, sid]));
  if (!first.ok) throw new Error(first.reason);
  await groupLeave(db, { ...ask(), user_id: me.user_id, group_id: first.group_id });
  const second = await groupCreate(db, creation(me, [me.sid, sid]));
  expect(second).toMatchObject({ ok: true, state: { version: 1, closed: false } });
  expect(second).not.toMatchObject({ group_id: first.group_id });
});

test('a direct message created by both at once is one group', async () => {
  const { users } = await newGroup(db, 3);
  const [a, b] = users;
  const outcome = await interleave(
    cores,
    (session) => createIn(session, creation(a, [a.sid, b.sid])),
    (two) => groupCreate(two, creation(b, [a.sid, b.sid])),
  );
  expect(outcome).toMatchObject({ ok: true });
  expect(sidsOf((outcome as typeof outcome & { ok: true }).state)).toEqual([a.sid, b.sid].sort());
  const { rows } = await cores.session.query('SELECT FROM "group" WHERE direct_key = $1', [
    `${Math.min(a.user_id, b.user_id)}:${Math.max(a.user_id, b.user_id)}`,
  ]);
  expect(rows).toHaveLength(1);
});

test('a direct message created while the old one is being closed is a new group', async () => {
  const me = await aUser();
  const sid = newSid();
  const old = await groupCreate(db, creation(me, [me.sid, sid]));
  if (!old.ok) throw new Error(old.reason);
  const outcome = await interleave(
    cores,
    (session) => leaveIn(session, me, old.group_id),
    (two) => groupCreate(two, creation(me, [me.sid, sid])),
  );
  expect(outcome).toMatchObject({ ok: true, state: { closed: false } });
  expect(outcome).not.toMatchObject({ group_id: old.group_id });
});

test('a user that two cores create at once is one user, and in both groups', async () => {
  const { users } = await newGroup(db, 3);
  const [a, b] = users;
  const sid = newSid();
  const outcome = await interleave(
    cores,
    (session) => createIn(session, creation(a, [a.sid, sid, b.sid])),
    (two) => groupCreate(two, creation(b, [sid, b.sid, newSid()])),
  );
  const { state } = outcome as typeof outcome & { ok: true };
  expect(sidsOf(state)).toContain(sid);
  const { user_id } = await userOf(db, sid);
  const [groups] = await readGroupIds(db, [user_id]);
  expect(groups).toHaveLength(2);
});

test('two cores that add C and D at once both count: the later state names both', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const [c, d] = [await aUser(), await aUser()];
  const outcome = await interleave(
    cores,
    (session) => addIn(session, users[0], group_id, c.sid),
    (two) => groupAddMember(two, { ...ask(), user_id: users[1].user_id, group_id, member_sid: d.sid }),
  );
  expect(outcome).toMatchObject({ ok: true, added_user_id: d.user_id, state: { version: 3 } });
  expect(sidsOf((outcome as { state: GroupState }).state)).toEqual(
    [...users, c, d].map((one) => one.sid).sort(),
  );
});

test('a user added while a message is being stored joins after it', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const added = await aUser();
  const { sender_id, request_id, repeatable, content } = aSend(users[0], group_id);
  const outcome = await interleave(
    cores,
    (session) =>
      session.query(messagingSendStatement.text, [
        [sender_id],
        [request_id],
        [repeatable],
        [group_id],
        [content],
        null,
      ]),
    (two) => groupAddMember(two, { ...ask(), user_id: users[0].user_id, group_id, member_sid: added.sid }),
  );
  const { state } = outcome as { state: GroupState };
  expect(state.version_seq).toBe(1);
  expect(state.members).toContainEqual([added.user_id, added.sid, 1]);
});

test('the same request on two cores at once has one effect', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const added = await aUser();
  const request = { ...ask(), user_id: users[0].user_id, group_id, member_sid: added.sid };
  const outcome = await interleave(
    cores,
    (session) => addIn(session, users[0], group_id, added.sid, request.request_id),
    (two) => groupAddMember(two, request),
  );
  expect(outcome).toMatchObject({ ok: true, added_user_id: added.user_id, state: { version: 2 } });
});

test('an added user starts at the newest message, also when they left and are added again', async () => {
  const { group_id, users } = await newGroup(db, 2);
  const trio = await groupCreate(db, creation(users[0], [users[0].sid, users[1].sid, newSid()]));
  if (!trio.ok) throw new Error(trio.reason);
  expect(trio.group_id).not.toBe(group_id);
  const added = await aUser();
  const request = { user_id: users[0].user_id, group_id: trio.group_id, member_sid: added.sid };
  await messagingSend(db, [aSend(users[0], trio.group_id), aSend(users[0], trio.group_id)]);

  const first = await groupAddMember(db, { ...ask(), ...request });
  expect(first).toMatchObject({ state: { version: 2, version_seq: 2 } });
  const membersOf = (outcome: unknown) => (outcome as { state: GroupState }).state.members;
  expect(membersOf(first)).toContainEqual([added.user_id, added.sid, 2]);

  await groupLeave(db, { ...ask(), user_id: added.user_id, group_id: trio.group_id });
  await messagingSend(db, [aSend(users[0], trio.group_id)]);
  const second = await groupAddMember(db, { ...ask(), ...request });
  expect(membersOf(second)).toContainEqual([added.user_id, added.sid, 3]);
  const [[membership] = []] = await replayGroups(db, [
    { user_id: added.user_id, group_ids: [trio.group_id] },
  ]);
  expect(membership).toMatchObject({
    last_seq: 3,
    delivered_seq: 3,
    delivered_version: 0,
    retried_version: 0,
  });
});

test('a repeated ADD does not bring back a user who has left since', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const added = await aUser();
  const request = { ...ask(), user_id: users[0].user_id, group_id, member_sid: added.sid };
  await groupAddMember(db, request);
  await groupLeave(db, { ...ask(), user_id: added.user_id, group_id });
  const again = await groupAddMember(cores.two, request);
  expect(again).toMatchObject({ ok: true, added_user_id: added.user_id, state: { version: 3 } });
  expect(sidsOf((again as { state: GroupState }).state)).not.toContain(added.sid);
});

test('adding a member again succeeds and changes nothing, in a direct message too', async () => {
  for (const size of [2, 3]) {
    const { group_id, users } = await newGroup(db, size);
    const request = { user_id: users[0].user_id, group_id, member_sid: users[1].sid };
    expect(await groupAddMember(db, { ...ask(), ...request })).toEqual({
      ok: true,
      state: null,
      added_user_id: users[1].user_id,
    });
    const [[membership] = []] = await replayGroups(db, [
      { user_id: users[0].user_id, group_ids: [group_id] },
    ]);
    expect(membership?.version).toBe(1);
  }
});

test('each refusal of an ADD has its reason, and a repeat has the same one', async () => {
  const group = await newGroup(db, 3);
  const direct = await newGroup(db, 2);
  const closed = await newGroup(db, 2);
  await groupLeave(db, { ...ask(), user_id: closed.users[1].user_id, group_id: closed.group_id });
  const stranger = await aUser();
  const nobody = newSid();
  const cases = [
    [stranger, group.group_id, stranger.sid, 'not_member'],
    [stranger, 2 ** 53, stranger.sid, 'not_member'],
    [closed.users[1], closed.group_id, stranger.sid, 'not_member'],
    [closed.users[0], closed.group_id, stranger.sid, 'closed'],
    [closed.users[0], closed.group_id, closed.users[0].sid, 'closed'],
    [group.users[0], group.group_id, nobody, 'user_unknown'],
    [direct.users[0], direct.group_id, nobody, 'user_unknown'],
    [direct.users[0], direct.group_id, stranger.sid, 'direct_message'],
  ] as const;
  for (const [{ user_id }, group_id, member_sid, reason] of cases) {
    const request = { ...ask(), user_id, group_id, member_sid };
    expect(await groupAddMember(db, request)).toEqual({ ok: false, reason });
    expect(await groupAddMember(cores.two, request)).toEqual({ ok: false, reason });
  }
});

test('a user who leaves is not in the state; fewer than two close the group; the last one may leave too', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const [a, b, c] = users as [TestUser, TestUser, TestUser];
  const leave = ({ user_id }: TestUser) => groupLeave(db, { ...ask(), user_id, group_id });
  await messagingSend(db, [aSend(a, group_id)]);

  expect(await leave(a)).toMatchObject({ state: { version: 2, version_seq: 1, closed: false } });
  const second = await leave(b);
  expect(second).toMatchObject({ state: { version: 3, closed: true } });
  expect(sidsOf((second as { state: GroupState }).state)).toEqual([c.sid]);
  expect(await leave(c)).toMatchObject({ state: { version: 4, closed: true, members: [] } });
  expect(await leave(c)).toEqual({ ok: false, reason: 'not_member' });
});

test('a repeated LEAVE answers the same and does not remove a user who was added again since', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const request = { ...ask(), user_id: users[1].user_id, group_id };
  await groupLeave(db, request);
  await groupAddMember(db, { ...ask(), user_id: users[0].user_id, group_id, member_sid: users[1].sid });
  const again = await groupLeave(cores.two, request);
  expect(again).toMatchObject({ ok: true, state: { version: 3 } });
  expect(sidsOf((again as { state: GroupState }).state)).toContain(users[1].sid);
});

test('a LEAVE of a user who is no member is refused without a row, and judged again when it is repeated', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const stranger = await aUser();
  const request = { ...ask(), user_id: stranger.user_id, group_id };
  const remembered = async () => {
    const { rows } = await db.pool.query('SELECT answer FROM request WHERE user_id = $1', [stranger.user_id]);
    return rows;
  };
  for (const group of [group_id, group_id, 2 ** 53]) {
    const refused = await groupLeave(db, { ...request, group_id: group });
    expect(refused).toEqual({ ok: false, reason: 'not_member' });
  }
  expect(await remembered()).toEqual([]);
  await groupAddMember(db, { ...ask(), user_id: users[0].user_id, group_id, member_sid: stranger.sid });
  expect(await groupLeave(db, request)).toMatchObject({ ok: true, state: { version: 3 } });
  expect(await groupLeave(cores.two, request)).toMatchObject({ ok: true, state: { version: 3 } });
  expect(await remembered()).toHaveLength(1);
  const elsewhere = { ...request, group_id: 2 ** 53 };
  expect(await groupLeave(db, elsewhere)).toEqual({ ok: false, reason: 'id_used' });
});

test('a LEAVE under the id of a message is refused as such, of a member and of nobody', async () => {
  const [mine, other] = [await newGroup(db, 3), await newGroup(db, 3)];
  const message = aSend(mine.users[0], mine.group_id);
  await storeOne(db, message);
  for (const group_id of [mine.group_id, other.group_id]) {
    const request = {
      request_id: message.request_id,
      repeatable: true,
      user_id: message.sender_id,
      group_id,
    };
    expect(await groupLeave(db, request)).toEqual({ ok: false, reason: 'id_used' });
  }
});

test('two users who leave at once close the group together', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const outcome = await interleave(
    cores,
    (session) => leaveIn(session, users[0], group_id),
    (two) => groupLeave(two, { ...ask(), user_id: users[1].user_id, group_id }),
  );
  expect(outcome).toMatchObject({ ok: true, state: { version: 3, closed: true } });
  expect((outcome as { state: GroupState }).state.members).toHaveLength(1);
});

test('an id that the gateway made is not compared with those of messages', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const send = aSend(users[0], group_id);
  await storeOne(db, send);
  const request = { request_id: send.request_id, repeatable: false, user_id: users[0].user_id, group_id };
  expect(await groupLeave(db, request)).toMatchObject({ ok: true });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  aSend,
  type Cores,
  interleave,
  newGroup,
  newSid,
  openCores,
  storeOne,
  waitUntilBlocked,
} from '../../test/test-db.ts';
import { groupAddMember } from '../groups/group-add-member.ts';
import { groupCreate } from '../groups/group-create.ts';
import { groupLeave } from '../groups/group-leave.ts';
import { messagingSendStatement } from './messaging-send.sql.ts';
import { messagingSend, type Send, type StoreOutcome } from './messaging-send.ts';
import { replayPages } from './replay-page.ts';

let cores: Cores;
beforeAll(async () => {
  cores = await openCores();
});
afterAll(() => cores.close());

const ask = () => ({ request_id: randomUUID(), repeatable: true });

const valuesOf = (sends: Send[]) => [
  sends.map((send) => send.sender_id),
  sends.map((send) => send.request_id),
  sends.map((send) => send.repeatable),
  sends.map((send) => send.group_id),
  sends.map((send) => send.content),
  null,
];

async function seqsOf(group_id: number): Promise<{ last_seq: number; seqs: number[]; ids: number[] }> {
  const [page] = await replayPages(cores.one, [{ group_id, after_seq: 0 }], 10_000);
  if (!page) throw new Error('no such group');
  return {
    last_seq: page.last_seq,
    seqs: page.messages.map((message) => message.seq),
    ids: page.messages.map((message) => message.message_id),
  };
}

test('an empty batch stores nothing', async () => {
  expect(await messagingSend(cores.one, [])).toEqual([]);
});

test('a batch is stored in its order, with gapless seq and growing ids in each group', async () => {
  const [a, b] = [await newGroup(cores.one, 2), await newGroup(cores.one, 3)];
  const sends = [b, a, a, b, a].map((group, at) => aSend(group.users[0], group.group_id, `number ${at}`));

  const outcomes = await messagingSend(cores.one, sends);

  expect(outcomes.map((outcome) => outcome.ok && [outcome.seq, outcome.version])).toEqual(
    [1, 1, 2, 2, 3].map((seq) => [seq, 1]),
  );
  const [page] = await replayPages(cores.one, [{ group_id: a.group_id, after_seq: 0 }]);
  const stored = [1, 2, 4].map((at) => {
    const { message_id, seq, date_created } = outcomes[at] as StoreOutcome & { ok: true };
    return { message_id, seq, date_created, sender_sid: a.users[0].sid, content: `number ${at}` };
  });
  expect(page?.messages).toEqual(stored);
  expect(stored[0]?.date_created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('any content comes back exactly as it was sent', async () => {
  const { group_id, users } = await newGroup(cores.one, 2);
  const contents = [
    `it's "quoted" \\ and {braced, NULL}`,
    'NULL',
    ' \t\r\n line\nbreaks ',
    '\\N',
    '👩‍👩‍👧 𝒳 e\u0301 é \u200b\ufeff',
    'x'.repeat(60_000),
    '$1 %s ;--',
  ];
  await messagingSend(
    cores.one,
    contents.map((content) => aSend(users[0], group_id, content)),
  );
  const [page] = await replayPages(cores.one, [{ group_id, after_seq: 0 }]);
  expect(page?.messages.map((message) => message.content)).toEqual(contents);
});

test('a repeat after leaving, and one after the group was closed, gets its first answer', async () => {
  const { group_id, users } = await newGroup(cores.one, 3);
  const send = aSend(users[0], group_id);
  const first = await storeOne(cores.one, send);

  await groupLeave(cores.one, { ...ask(), user_id: users[0].user_id, group_id });
  expect(await storeOne(cores.two, send)).toEqual({ ...first, version: 2 });
  expect(await messagingSend(cores.one, [aSend(users[0], group_id)])).toEqual([
    { ok: false, reason: 'not_member' },
  ]);

  await groupLeave(cores.one, { ...ask(), user_id: users[1].user_id, group_id });
  expect(await storeOne(cores.two, send)).toEqual({ ...first, version: 3 });
  expect(await seqsOf(group_id)).toMatchObject({ last_seq: 1, seqs: [1] });
});

test('an id that was used for another message, or for another type of request, is refused', async () => {
  const { group_id, users } = await newGroup(cores.one, 3);
  const send = aSend(users[0], group_id);
  await storeOne(cores.one, send);
  const idUsed = [{ ok: false, reason: 'id_used' }];
  expect(await messagingSend(cores.one, [{ ...send, content: 'other' }])).toEqual(idUsed);
  expect(await messagingSend(cores.one, [{ ...send, group_id: group_id + 1_000 }])).toEqual(idUsed);

  const request = { ...ask(), user_id: users[0].user_id, group_id, member_sid: users[1].sid };
  await groupAddMember(cores.one, request);
  const same = { ...aSend(users[0], group_id), request_id: request.request_id };
  expect(await messagingSend(cores.one, [same])).toEqual(idUsed);
  expect(await storeOne(cores.one, { ...same, repeatable: false })).toMatchObject({ seq: 2 });
});

test('a send that was refused leaves nothing under its id: it is checked again, and stored once its sender is a member', async () => {
  const [theirs, mine] = [await newGroup(cores.one, 3), await newGroup(cores.one, 2)];
  const send = aSend(mine.users[0], theirs.group_id);
  const refused = [{ ok: false, reason: 'not_member' }];
  expect(await messagingSend(cores.one, [send])).toEqual(refused);
  expect(await messagingSend(cores.two, [send])).toEqual(refused);
  const [owner] = theirs.users;
  const member_sid = mine.users[0].sid;
  await groupAddMember(cores.one, {
    ...ask(),
    user_id: owner.user_id,
    group_id: theirs.group_id,
    member_sid,
  });
  const stored = await storeOne(cores.one, send);
  expect(stored).toMatchObject({ seq: 1 });
  expect(await storeOne(cores.two, send)).toEqual(stored);
  expect(await seqsOf(theirs.group_id)).toMatchObject({ last_seq: 1 });
});

test("two users' equal ids are two ids", async () => {
  const { group_id, users } = await newGroup(cores.one, 2);
  const send = aSend(users[0], group_id);
  const other = { ...send, sender_id: users[1].user_id, content: 'other' };
  const outcomes = await messagingSend(cores.one, [send, other]);
  expect(outcomes).toMatchObject([{ seq: 1 }, { seq: 2 }]);
});

test('an id twice in one batch is stored once', async () => {
  const { group_id, users } = await newGroup(cores.one, 2);
  const send = aSend(users[0], group_id);
  const outcomes = await messagingSend(cores.one, [
    send,
    { ...send, request_id: send.request_id.toUpperCase() },
    { ...send, content: 'other' },
    aSend(users[0], group_id),
  ]);
  const [first] = outcomes;
  expect(outcomes).toEqual([
    { ...first, ok: true, seq: 1 },
    first,
    { ok: false, reason: 'id_used' },
    expect.objectContaining({ seq: 2 }),
  ]);
  expect(await seqsOf(group_id)).toMatchObject({ last_seq: 2, seqs: [1, 2] });
});

test('refusals do not touch the others of the batch, nor does a group_id of 2^53', async () => {
  const open = await newGroup(cores.one, 2);
  const closed = await newGroup(cores.one, 2);
  await groupLeave(cores.one, {
    ...ask(),
    user_id: closed.users[1].user_id,
    group_id: closed.group_id,
  });
  const [me] = open.users;
  const outcomes = await messagingSend(cores.one, [
    aSend(me, 2 ** 53),
    aSend(me, open.group_id),
    aSend(me, closed.group_id),
    aSend(closed.users[0], closed.group_id),
    aSend(closed.users[1], closed.group_id),
    aSend(me, open.group_id),
  ]);
  expect(outcomes).toEqual([
    { ok: false, reason: 'not_member' },
    expect.objectContaining({ ok: true, seq: 1 }),
    { ok: false, reason: 'not_member' },
    { ok: false, reason: 'closed' },
    { ok: false, reason: 'not_member' },
    expect.objectContaining({ ok: true, seq: 2 }),
  ]);
  expect(await seqsOf(closed.group_id)).toMatchObject({ last_seq: 0, seqs: [] });
});

test('a message sent while a member is being added has the newest version', async () => {
  const { group_id, users } = await newGroup(cores.one, 3);
  const { users: others } = await newGroup(cores.one, 2);
  const [outcome] = await interleave(
    cores,
    (session) =>
      session.query('SELECT group_add_member($1, $2, false, $3, $4, $5)', [
        users[0].user_id,
        randomUUID(),
        'add',
        group_id,
        others[0].sid,
      ]),
    (two) => messagingSend(two, [aSend(users[0], group_id)]),
  );
  expect(outcome).toMatchObject({ ok: true, seq: 1, version: 2 });
});

test('a message sent while its group is being closed is refused, and leaves no gap', async () => {
  const { group_id, users } = await newGroup(cores.one, 2);
  const outcomes = await interleave(
    cores,
    (session) =>
      session.query('SELECT group_leave($1, $2, false, $3, $4)', [
        users[1].user_id,
        randomUUID(),
        'leave',
        group_id,
      ]),
    (two) => messagingSend(two, [aSend(users[0], group_id)]),
  );
  expect(outcomes).toEqual([{ ok: false, reason: 'closed' }]);
  expect(await seqsOf(group_id)).toMatchObject({ last_seq: 0 });
});

test('the same id on two cores at once is one message and leaves no gap in seq', async () => {
  const { group_id, users } = await newGroup(cores.one, 2);
  const send = aSend(users[0], group_id);
  const outcomes = await interleave(
    cores,
    (session) => session.query(messagingSendStatement.text, valuesOf([send])),
    (two) => messagingSend(two, [aSend(users[1], group_id), send, aSend(users[1], group_id)]),
  );
  expect(outcomes).toMatchObject([
    { ok: true, seq: 2 },
    { ok: true, seq: 1 },
    { ok: true, seq: 3 },
  ]);
  expect(await seqsOf(group_id)).toMatchObject({ last_seq: 3, seqs: [1, 2, 3] });
});

test('the same id for two groups on two cores at once is stored once, and the other is refused', async () => {
  const { group_id, users } = await newGroup(cores.one, 2);
  const second = await groupCreate(cores.one, {
    ...ask(),
    ...users[0],
    group_name: 'second',
    member_sids: [newSid(), newSid()],
  });
  if (!second.ok) throw new Error(second.reason);
  const send = aSend(users[0], group_id);
  const outcomes = await interleave(
    cores,
    (session) => session.query(messagingSendStatement.text, valuesOf([send])),
    (two) => messagingSend(two, [{ ...send, group_id: second.group_id }]),
  );
  expect(outcomes).toEqual([{ ok: false, reason: 'id_used' }]);
  expect(await seqsOf(second.group_id)).toMatchObject({ last_seq: 0, seqs: [] });
});

test('message ids and dates grow with seq when cores wait for each other', async () => {
  const { group_id, users } = await newGroup(cores.one, 2);
  const batch = () => users.map((sender) => aSend(sender, group_id));
  await Promise.all(
    Array.from({ length: 20 }, () => [
      messagingSend(cores.one, batch()),
      messagingSend(cores.two, batch()),
    ]).flat(),
  );
  const { last_seq, seqs, ids } = await seqsOf(group_id);
  expect(last_seq).toBe(80);
  expect(seqs).toEqual(Array.from({ length: 80 }, (_, at) => at + 1));
  expect(ids).toEqual([...ids].sort((a, b) => a - b));
  const { rows } = await cores.session.query(
    `SELECT FROM message a JOIN message b ON b.group_id = a.group_id AND b.seq = a.seq + 1
     WHERE a.group_id = $1 AND b.date_created < a.date_created`,
    [group_id],
  );
  expect(rows).toEqual([]);
});

test('a core that waits for the lock draws id and date after it', async () => {
  const { group_id, users } = await newGroup(cores.one, 2);
  const { session, two } = cores;
  await session.query('BEGIN');
  await session.query('SELECT FROM "group" WHERE id = $1 FOR UPDATE', [group_id]);
  const waiting = messagingSend(two, [aSend(users[0], group_id)]);
  await waitUntilBlocked(cores, 'two');
  const { rows } = await session.query(
    `SELECT nextval('message_id_seq')::int AS id, wire_date(clock_timestamp()) AS date`,
  );
  await session.query('COMMIT');

  const [outcome] = (await waiting) as [StoreOutcome & { ok: true }];
  expect(outcome.message_id).toBeGreaterThan(rows[0].id);
  expect(outcome.date_created >= rows[0].date).toBe(true);
});

test('cores that store for the same groups in opposite orders do not deadlock', async () => {
  const [low, high] = [await newGroup(cores.one, 2), await newGroup(cores.one, 2)];
  const { session, two } = cores;
  const lock = 'SELECT FROM "group" WHERE id = $1 FOR UPDATE';
  await session.query('BEGIN');
  await session.query(lock, [low.group_id]);
  const storing = messagingSend(
    two,
    [high, low].map(({ users, group_id }) => aSend(users[0], group_id)),
  );
  await waitUntilBlocked(cores, 'two');
  // It has not begun with the first of its batch, or this would be a deadlock.
  await session.query(`${lock} NOWAIT`, [high.group_id]);
  await session.query('COMMIT');
  expect(await storing).toMatchObject([
    { ok: true, seq: 1 },
    { ok: true, seq: 1 },
  ]);
});

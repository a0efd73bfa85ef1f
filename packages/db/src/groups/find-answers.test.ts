import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freshDatabase, newGroup } from '../../test/test-db.ts';
import { type Db, openDb } from '../session/db.ts';
import { findAnswers } from './find-answers.ts';
import { fingerprint } from './fingerprint.ts';
import { groupAddMember } from './group-add-member.ts';
import { groupLeave } from './group-leave.ts';

let db: Db;
beforeAll(async () => {
  db = openDb({ url: await freshDatabase(), applicationName: 'test' });
});
afterAll(() => db.close());

const ask = () => ({ request_id: randomUUID(), repeatable: true });

test('the answer of a changing request is found with the state of its group as it is now', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const [me, you] = users;
  const late = (await newGroup(db, 2)).users[0];
  const add = { ...ask(), user_id: me.user_id, group_id, member_sid: late.sid };
  const present = { ...ask(), user_id: me.user_id, group_id, member_sid: you.sid };
  const leave = { ...ask(), user_id: you.user_id, group_id };
  const refused = { ...ask(), user_id: 2 ** 40, group_id, member_sid: you.sid };
  await groupAddMember(db, add);
  await groupAddMember(db, present);
  const left = await groupLeave(db, leave);
  if (!left.ok) throw new Error(left.reason);
  await groupAddMember(db, refused);
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

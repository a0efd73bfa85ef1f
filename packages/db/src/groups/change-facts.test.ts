import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freshDatabase, newGroup, newSid, sendMany } from '../../test/test-db.ts';
import { type Db, openDb } from '../session/db.ts';
import { readChangeFacts } from './change-facts.ts';
import { groupAddMember } from './group-add-member.ts';

let db: Db;
let statements = 0;
beforeAll(async () => {
  const onStatement = () => {
    statements += 1;
  };
  db = openDb({ url: await freshDatabase(), applicationName: 'test', onStatement });
});
afterAll(() => db.close());

test('one statement says of a change who is a stranger, whom nobody is, how many members there are, and whether it was done', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const [ada, bob, cat] = users as [(typeof users)[0], (typeof users)[0], (typeof users)[0]];
  await sendMany(db, group_id, ada, 1);
  const late = (await newGroup(db, 2)).users[0];
  const ask = { user_id: ada.user_id, request_id: randomUUID() };
  const sids = [ada.sid, bob.sid, cat.sid, late.sid, newSid()];
  const facts = () => readChangeFacts(db, { ...ask, sids, group_id, membersMax: 1_000 });

  const before = statements;
  expect(await facts()).toEqual({ isAnswered: false, strangers: 3, unknown: 1, members: 3 });
  expect(statements - before).toBe(1);
  await db.pool.query(`UPDATE message SET date_created = date_created - INTERVAL '2 days'`);
  expect(await facts()).toMatchObject({ strangers: 1 });
  expect(await readChangeFacts(db, { ...ask, sids: [], group_id, membersMax: 2 })).toEqual({
    isAnswered: false,
    strangers: 0,
    unknown: 0,
    members: 2,
  });
  const ofOther = { user_id: late.user_id, request_id: randomUUID(), sids: [], group_id, membersMax: 9 };
  expect(await readChangeFacts(db, ofOther)).toMatchObject({ members: 0 });

  await groupAddMember(db, { ...ask, repeatable: true, group_id, member_sid: late.sid });
  expect(await facts()).toEqual({ isAnswered: true, strangers: 0, unknown: 0, members: 0 });
});

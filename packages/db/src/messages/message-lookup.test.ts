import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cores, newGroup, openCores, sendMany } from '../../test/test-db.ts';
import { groupAddMember } from '../groups/group-add-member.ts';
import type { Db } from '../session/db.ts';
import { messageLookup } from './message-lookup.ts';

let cores: Cores;
let db: Db;
beforeAll(async () => {
  cores = await openCores();
  db = cores.one;
});
afterAll(() => cores.close());

const ask = () => ({ request_id: randomUUID(), repeatable: true });

test('a look-up finds messages of my groups since I joined, and no others', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const other = await newGroup(db, 2);
  const before = await sendMany(db, group_id, users[0], 2);
  const late = other.users[0];
  await groupAddMember(db, { ...ask(), user_id: users[0].user_id, group_id, member_sid: late.sid });
  const after = await sendMany(db, group_id, users[0], 1);
  const elsewhere = await sendMany(db, other.group_id, other.users[1], 1);
  const message_ids = [...before, ...after, ...elsewhere, ...after, 2 ** 53];

  const [mine, lates, none, nothing] = await messageLookup(db, [
    { user_id: users[1].user_id, message_ids },
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

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freshDatabase, newGroup, sendMany } from '../../test/test-db.ts';
import { type Db, openDb } from '../session/db.ts';
import { deliveryChecks } from '../sweep/delivery-checks.ts';
import { findStored } from './find-stored.ts';
import { messagingSend } from './messaging-send.ts';

let db: Db;
beforeAll(async () => {
  db = openDb({ url: await freshDatabase(), applicationName: 'test' });
});
afterAll(() => db.close());

const ask = () => ({ request_id: randomUUID(), repeatable: true });

test('what is stored of a send is found by its request id, and stores nothing', async () => {
  const { group_id, users } = await newGroup(db, 2);
  const send = { sender_id: users[0].user_id, group_id, content: 'kept', ...ask() };
  const unknown = { ...send, ...ask() };
  await sendMany(db, group_id, users[1], 1);
  const [stored] = await messagingSend(db, [send]);
  if (!stored?.ok) throw new Error('not stored');
  const { message_id, seq, version, date_created } = stored;
  expect(await findStored(db, [unknown, send, { ...send, sender_id: users[1].user_id }])).toEqual([
    null,
    { message_id, seq, version, date_created, group_id, content: 'kept' },
    null,
  ]);
  expect(await findStored(db, [])).toEqual([]);
  expect(await deliveryChecks(db, [group_id], 0)).toMatchObject([{ last_seq: 2 }]);
});

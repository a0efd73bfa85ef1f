import { uniqueSid } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import { FakeGateway } from './fake-gateway.ts';
import { createGroup, receiveMessage, sendMessage, startFixture } from './fixture.ts';

const strangers = 12_000;
const manyGroups = 10_000;
const largestCrowd = 50_000;

const fixture = startFixture({ gateways: 2, cores: 1 });

test('the state of a very large group reaches its members, in publications of a bounded size', async () => {
  const [ada, bob, cat] = [await fixture.enter(0), await fixture.enter(1), await fixture.enter(1)];
  const group_id = await createGroup(ada, [bob.sid, uniqueSid()]);
  await fixture.rows(
    `WITH added AS (
       INSERT INTO "user" (sid) SELECT '999.' || 100000000 + n FROM generate_series(1, $2::int) n RETURNING id
     )
     INSERT INTO group_member (group_id, user_id, joined_seq, delivered_seq)
     SELECT $1, id, 0, 0 FROM added`,
    [group_id, strangers],
  );
  const gateway = await FakeGateway.connect(fixture.system);
  await gateway.subscribe(gateway.names.group(group_id));
  const isGrown = ({ payload }: { payload: { member_sids?: readonly string[] } }) =>
    payload.member_sids?.length === strangers + 4;
  const grown = Promise.all([ada, bob, cat].map(({ client }) => client.next(isGrown)));
  await ada.client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: cat.sid });
  for (const { payload } of await grown) expect(payload.member_sids).toContain(cat.sid);
  const message_id = await sendMessage(ada, group_id, 'hello, all');
  for (const member of [ada, bob, cat]) await receiveMessage(member, message_id);
  // Behind the message nothing of the change is still on its way.
  await gateway.until(() => gateway.of('messages').length > 0);
  expect(gateway.of('state')).toEqual([]);
  expect(gateway.of('delivery-check').map(({ check }) => check.version)).toContain(2);
  await gateway.request('GROUP_STATES', { group_ids: [group_id] });
  expect(Math.max(...gateway.publicationBytes)).toBeLessThan(300_000);

  const membersAfter = async (leave: { reads_state?: boolean }) => {
    const [row] = await fixture.rows<{ user_id: number }>(
      'SELECT max(user_id)::float8 AS user_id FROM group_member WHERE group_id = $1',
      [group_id],
    );
    const user_id = row?.user_id ?? 0;
    const { state } = await gateway.request('GROUP_LEAVE', { user_id, repeatable: true, group_id, ...leave });
    return state?.members.length;
  };
  // A gateway of an earlier release reads no state: it is told however many members there are.
  expect(await membersAfter({})).toBe(strangers + 3);
  expect(await membersAfter({ reads_state: true })).toBe(strangers + 2);
  gateway.close();
});

test('a user in ten thousand groups and a member of a group of fifty thousand sign in at the same time, are told all, and may chat', async () => {
  const [ada, bob, cat] = [await fixture.enter(0), await fixture.enter(1), await fixture.enter(1)];
  const group_id = await createGroup(ada, [bob.sid, uniqueSid()]);
  for (const { client } of [bob, cat]) client.terminate();
  await fixture.rows(
    `WITH grown AS (UPDATE "group" SET version = 2 WHERE id = $1), added AS (
       INSERT INTO "user" (sid) SELECT '998.' || 100000000 + n FROM generate_series(1, $2::int) n RETURNING id
     )
     INSERT INTO group_member (group_id, user_id, joined_seq, delivered_seq, delivered_version)
     SELECT $1, id, 0, 0, 2 FROM added`,
    [group_id, largestCrowd],
  );
  const ofCat = await fixture.rows<{ id: number }>(
    `WITH made AS (
       INSERT INTO "group" (name, is_direct_message) SELECT 'one of many', false FROM generate_series(1, $2::int)
       RETURNING id
     ), joined AS (
       INSERT INTO group_member (group_id, user_id, joined_seq, delivered_seq)
       SELECT made.id, u.id, 0, 0 FROM made CROSS JOIN "user" u WHERE u.sid = ANY ($1)
     )
     SELECT id::float8 FROM made`,
    [[cat.sid, ada.sid], manyGroups],
  );
  const [large, many] = await Promise.all([fixture.returning(bob.sid, 1), fixture.returning(cat.sid, 1)]);
  await large.client.next(({ payload }) => payload.member_sids?.length === largestCrowd + 3);
  const told = () =>
    new Set(many.client.received('GROUP_DELIVER_REQUEST').map(({ payload }) => payload.group_id));
  await many.client.waitFor(() => many.client.frames.length > manyGroups && told().size === manyGroups);
  await receiveMessage(large, await sendMessage(ada, group_id, 'to fifty thousand'));
  const own = ofCat[manyGroups / 2]?.id as number;
  await receiveMessage(many, await sendMessage(many, own, 'in one of ten thousand'));
});

import { type BusLog, connectRedis, Placement } from '@hooligram/bus';
import { type OwnRedis, ownRedis } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, Fixture, metric } from './fixture.ts';
import type { StoredGroup, TestUser } from './stored-group.ts';

const [first, second] = [0, 1];
const silent: BusLog = { info() {}, warn() {}, error() {} };
const placement = new Placement(2);

let redises: readonly OwnRedis[];
let fixture: Fixture;

beforeAll(async () => {
  redises = await Promise.all([ownRedis(), ownRedis()]);
  fixture = await Fixture.startOn(addresses());
  // No request is written again because it is due: only because of what happens to a Redis.
  await fixture.addGatewayOn(addresses(), {
    REQUEST_DEADLINE_MS: '120000',
    REQUEST_REPEAT_MS: '130000',
    REQUEST_PATIENCE_MS: '300000',
  });
});

afterAll(async () => {
  await fixture?.stop();
  await Promise.all(redises.map((redis) => redis.stop()));
});

const addresses = () => redises.map(({ url }) => url).join();
const redis = (shard: number) => redises[shard] as OwnRedis;
const gateway = (index = 0) => fixture.system.gateway(index);

function userOn(shard: number): TestUser {
  for (;;) {
    const user = fixture.user();
    if (placement.of(user.userId) === shard) return user;
  }
}

function groupOn(shard: number, ...members: TestUser[]): StoredGroup {
  for (;;) {
    const group = fixture.group(members);
    if (placement.of(group.id) === shard) return group;
  }
}

/** The sentinel of a user lives where their groups must be heard while another Redis is away. */
function userWithSentinelOn(shard: number): TestUser {
  for (;;) {
    const user = userOn(shard);
    if (placement.of(fixture.sentinel(user).id) === shard) return user;
  }
}

const contentIs = (text: string) => (params: { content: string }) => params.content === text;

test('what concerns a group or a user comes from their Redis, and requests go through that of their user', async () => {
  for (const shard of [first, second]) {
    const user = userWithSentinelOn(shard);
    const groups = [groupOn(first, user), groupOn(second, user)];
    const signedIn = await fixture.connectAs(user, groups);
    for (const group of groups) {
      await fixture.core.publish.message(group.store());
      await signedIn.has(group, 1);
      signedIn.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: `to ${group.id}` });
      const send = await fixture.core.next('MESSAGING_SEND', contentIs(`to ${group.id}`));
      expect(send.shard).toBe(shard);
      await send.succeed({ message_id: 1 });
      await signedIn.client.next('MESSAGING_SEND_SUCCESS');
    }
    const token = await fixture.core.publish.redeliveryRequest(user.userId);
    await fixture.core.acknowledged(token);
  }
});

test('while one Redis is away its users are late, others notice nothing, and what was missed there is fetched alone', async () => {
  const [ada, eve, bob] = [
    userWithSentinelOn(first),
    userWithSentinelOn(first),
    userWithSentinelOn(second),
  ] as const;
  const here = groupOn(first, ada, bob, eve);
  const there = groupOn(second, ada, bob, eve);
  const a = await fixture.connectAs(ada, [here, there]);
  const b = await fixture.connectAs(bob, [here, there]);
  b.client.send('GROUP_CREATE_REQUEST', { group_name: 'made', member_sids: [ada.sid] });
  const create = await fixture.core.next('GROUP_CREATE');
  expect(create.shard).toBe(second);

  await redis(second).kill();
  // It has no order to keep.
  const again = await fixture.core.next('GROUP_CREATE');
  expect({ shard: again.shard, request_id: again.request_id }).toEqual({
    shard: first,
    request_id: create.request_id,
  });
  await again.succeed({ group_id: 1 });
  await b.client.next('GROUP_CREATE_SUCCESS');
  b.client.send('MESSAGING_SEND_REQUEST', { group_id: here.id, content: 'of a user there' });
  a.client.send('MESSAGING_SEND_REQUEST', { group_id: there.id, content: 'of a user here' });
  const send = await fixture.core.next('MESSAGING_SEND', contentIs('of a user here'));
  expect(send.shard).toBe(first);
  await send.succeed({ message_id: 2 });
  await a.client.next('MESSAGING_SEND_SUCCESS');
  await fixture.core.publish.message(here.store());
  await Promise.all([a.has(here, 1), b.has(here, 1)]);
  // Nobody publishes it.
  there.store();
  expect(await gateway().isReady()).toBe(true);

  const late = await fixture.connect();
  const request = await fixture.requestSignIn(late, eve);
  await request.succeed({ user_id: eve.userId, sid: eve.sid, group_ids: [there.id, here.id] });
  const read = await fixture.nextRead(eve);
  expect(read.params.group_ids).toEqual([here.id]);
  await read.succeed(fixture.snapshots(here));
  const e = fixture.asUser(late, eve);
  await e.hasState(here, 1);
  const underWay = () => metric(gateway(), 'gateway_sign_ins_under_way');
  await eventually(async () => (await underWay()) === 0, 'the sign-in keeps no place');
  expect(fixture.core.received.some(({ params }) => contentIs('of a user there')(params as never))).toBe(
    false,
  );

  const before = fixture.core.received.length;
  fixture.answerPages();
  await redis(second).start();
  const sent = await fixture.core.next('MESSAGING_SEND', contentIs('of a user there'));
  expect(sent.shard).toBe(second);
  await sent.succeed({ message_id: 3 });
  await b.client.next('MESSAGING_SEND_SUCCESS');
  await (await fixture.nextRead(eve)).succeed(fixture.snapshots(there));
  await Promise.all([a.has(there, 1), b.has(there, 1), e.hasState(there, 1)]);
  const looking = await fixture.core.next('GROUP_IDS', ({ user_ids }) => user_ids.includes(bob.userId));
  await looking.succeed({ group_ids: looking.params.user_ids.map(() => [here.id, there.id]) });
  const groups = fixture.core.received
    .slice(before)
    .flatMap(({ type, params }) => (type === 'GROUP_HEADS' && 'group_ids' in params ? params.group_ids : []));
  expect(groups).toContain(there.id);
  expect([...groups, ...looking.params.user_ids].filter((id) => placement.of(id) !== second)).toEqual([]);
  await fixture.core.publish.message(there.store());
  await Promise.all([a.has(there, 2), b.has(there, 2), e.has(there, 2)]);
});

test('what a core could not publish on one Redis is fetched when the core says so, and nothing else', async () => {
  const ada = userWithSentinelOn(first);
  const [here, there] = [groupOn(first, ada), groupOn(second, ada)] as const;
  const a = await fixture.connectAs(ada, [here, there]);
  fixture.answerPages();
  for (const group of [here, there]) group.store();
  const core = await connectRedis(redis(second).url, { role: 'command', name: 'test', log: silent });
  await core.publish(fixture.core.names.gateways, 'missed');
  await a.has(there, 1);
  core.disconnect();
  expect(a.seqs(here)).toEqual([]);
});

test('what could not be written while its Redis was away is written once when that is back', async () => {
  const bob = userWithSentinelOn(second);
  const there = groupOn(second, bob);
  const b = await fixture.connectAs(bob, [there]);
  await redis(second).kill();
  b.client.send('MESSAGING_SEND_REQUEST', { group_id: there.id, content: 'once' });
  await redis(second).start();
  const send = await fixture.core.next('MESSAGING_SEND', contentIs('once'));
  // A core may answer at once: what is written before answers are received would be written again.
  await send.succeed({ message_id: 4 });
  await b.client.next('MESSAGING_SEND_SUCCESS');
  const written = fixture.core.received.filter(({ params }) => contentIs('once')(params as never));
  expect(written).toHaveLength(1);
});

test('a gateway starts while one of two Redis is away, and that one joins when it is there', async () => {
  const [ada, bob] = [userWithSentinelOn(first), userWithSentinelOn(second)] as const;
  const here = groupOn(first, ada, bob);
  const there = groupOn(second, bob);
  await redis(second).kill();
  await fixture.addGatewayOn(addresses());
  expect(await gateway(1).isReady()).toBe(true);
  const a = await fixture.connectAs(ada, [here], 1);
  const client = await fixture.connect(1);
  const request = await fixture.requestSignIn(client, bob);
  expect(request.shard).toBe(first);
  await request.succeed({ user_id: bob.userId, sid: bob.sid, group_ids: [here.id, there.id] });
  await client.next('AUTHORIZATION_SIGN_IN_SUCCESS');
  await fixture.core.publish.message(here.store());
  await a.has(here, 1);

  await redis(second).start();
  await (await fixture.nextRead(bob)).succeed(fixture.snapshots(here));
  await (await fixture.nextRead(bob)).succeed(fixture.snapshots(there));
  const b = fixture.asUser(client, bob);
  await Promise.all([b.hasState(here, 1), b.hasState(there, 1)]);
  await fixture.core.publish.message(there.store());
  await b.has(there, 1);
  await eventually(() => gateway(1).isReady(), 'the gateway is ready');
});

test('a Redis that goes away in the middle of a sign-in holds its own groups alone', async () => {
  const ada = userWithSentinelOn(first);
  const [here, there] = [groupOn(first, ada), groupOn(second, ada)] as const;
  const client = await fixture.connect();
  let request = await fixture.requestSignIn(client, ada);
  // Nobody is a sign-in's user yet: it goes through either.
  while (request.shard === second) {
    await request.refuse('wrong');
    await client.next('AUTHORIZATION_SIGN_IN_FAILURE');
    request = await fixture.requestSignIn(client, ada);
  }
  const pausing = await connectRedis(redis(second).url, { role: 'command', name: 'test', log: silent });
  await pausing.call('CLIENT', 'PAUSE', '600000', 'ALL');
  await request.succeed({ user_id: ada.userId, sid: ada.sid, group_ids: [there.id, here.id] });
  await client.next('AUTHORIZATION_SIGN_IN_SUCCESS');
  pausing.disconnect();
  await redis(second).kill();
  const read = await fixture.nextRead(ada);
  expect(read.params.group_ids).toEqual([here.id]);
  const added = groupOn(first, ada);
  const all_group_ids = [there.id, here.id, added.id];
  await read.succeed({ ...fixture.snapshots(here), all_group_ids, credential_version: 1 });
  const a = fixture.asUser(client, ada);
  await a.hasState(here, 1);
  // Nor does what a sign-in looks at afterwards wait for it.
  const further = await fixture.nextRead(ada);
  expect(further.params.group_ids).toEqual([added.id]);
  await further.succeed(fixture.snapshots(added));
  await a.hasState(added, 1);
  await redis(second).start();
  await (await fixture.nextRead(ada)).succeed(fixture.snapshots(there));
  await a.hasState(there, 1);
});

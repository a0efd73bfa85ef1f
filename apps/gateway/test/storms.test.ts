import { MobileClient } from '@hooligram/conformance';
import { sidOf } from '@hooligram/protocol';
import { patienceMs, uniqueSid, until } from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { eventually, Fixture, metric } from './fixture.ts';
import { ask, upgradeRequest } from './raw-http.ts';

const narrow = 0;
const slow = 1;
const signInsMax = 5;

let fixture: Fixture;
const mobiles: MobileClient[] = [];

beforeAll(async () => {
  fixture = await Fixture.start(
    {
      SIGN_INS_MAX: String(signInsMax),
      // All places are used, however busy the machine is.
      LOOP_LATE_MAX_MS: '600000',
      DRAIN_SECONDS: '0',
    },
    { HANDSHAKES_PER_SECOND_MAX: '3', HANDSHAKES_WAITING_MAX: '2', LOOP_LATE_MAX_MS: '600000' },
  );
});
afterEach(() => Promise.all(mobiles.splice(0).map((mobile) => mobile.stop())));
afterAll(() => fixture?.stop());

const gatewayMetric = (name: string) => metric(fixture.system.gateway(narrow), `gateway_${name}`);
const waiting = (count: number) =>
  eventually(async () => (await gatewayMetric('sign_ins_waiting')) === count, `${count} wait`);

type Phone = { readonly country_code: string; readonly phone_number: string };

const isOf = ({ country_code, phone_number }: Phone, sid: string) =>
  sidOf(country_code, phone_number) === sid;

const sidsAtCore = () =>
  fixture.core.received.flatMap(({ type, params }) =>
    type === 'AUTHORIZATION_SIGN_IN' && 'phone_number' in params
      ? [sidOf(params.country_code, params.phone_number)]
      : [],
  );

/** Opens a connection that asks for its sign-in behind those who wait already. */
async function standInLine(place: number) {
  const [client, user] = [await fixture.connect(), fixture.user()];
  const [country_code = '', phone_number = ''] = user.sid.split('.');
  client.send('AUTHORIZATION_SIGN_IN_REQUEST', { country_code, phone_number, verification_code: '000000' });
  await waiting(place);
  return { client, user };
}

test('sign-ins beyond those that may be under way wait in order, and a connection that closes leaves the line', async () => {
  const inside = [];
  for (let count = 0; count < signInsMax; count += 1) {
    const [client, user] = [await fixture.connect(), fixture.user()];
    inside.push({ client, user, request: await fixture.requestSignIn(client, user) });
  }
  const [first, second, third] = [await standInLine(1), await standInLine(2), await standInLine(3)];
  second.client.terminate();
  await waiting(2);
  // Everything else of those who wait is served meanwhile.
  await first.client.roundTrip();

  // A place is kept until the groups were read.
  const [one, two] = inside;
  if (!one || !two) throw new Error('nobody is inside');
  const requests = sidsAtCore().length;
  const group = fixture.group([one.user]);
  await one.request.succeed({ user_id: one.user.userId, sid: one.user.sid, group_ids: [group.id] });
  const read = await fixture.nextRead(one.user);
  expect(sidsAtCore()).toHaveLength(requests);
  await read.succeed({ memberships: [group.membership()] });
  // A refusal gives its place back, too.
  await two.request.refuse('wrong verification code');
  await waiting(0);
  await eventually(() => sidsAtCore().length === requests + 2, 'both are at the core');
  expect(sidsAtCore().slice(requests)).toEqual([first.user.sid, third.user.sid]);

  for (const { request } of inside.slice(2)) await request.refuse('wrong verification code');
  for (const { client, user } of [first, third]) {
    const request = await fixture.core.next('AUTHORIZATION_SIGN_IN', (params) => isOf(params, user.sid));
    await request.refuse('wrong verification code');
    await client.next('AUTHORIZATION_SIGN_IN_FAILURE');
  }
  await eventually(async () => (await gatewayMetric('sign_ins_under_way')) === 0, 'all places are free');
  for (const { client } of [...inside, first, third]) client.terminate();
});

test('live messages alone make those wait who come: frames of nobody and a replay do not', async () => {
  const index = await fixture.addGateway({ SIGN_INS_MAX: '32' });
  const gateway = fixture.system.gateway(index);
  const allowed = () => metric(gateway, 'gateway_sign_ins_allowed');
  const stranger = await fixture.connect(index);
  const { type } = await stranger.request('MESSAGING_SEND', { group_id: 1, content: 'x' });
  expect(type).toBe('MESSAGING_SEND_FAILURE');
  stranger.send('MESSAGING_DELIVER_SUCCESS', { message_id: 1 });
  await stranger.roundTrip();
  expect(await allowed()).toBe(32);

  const user = fixture.user();
  const group = fixture.group([user]);
  group.store();
  fixture.answerPages();
  const one = await fixture.connectAs(user, [[group, { delivered_seq: 0 }]], index);
  await one.has(group, 1);
  one.acknowledge(group, 1);
  await one.client.roundTrip();
  expect(await metric(gateway, 'gateway_acknowledged_total')).toBe(1);
  expect(await allowed()).toBe(32);

  await one.settled();
  expect(await allowed()).toBe(8);
});

test('a storm of clients that come back at once gets in, each of them, without a failure', async () => {
  const { url } = fixture.system.gateway(narrow);
  const count = 300;
  for (let index = 0; index < count; index += 1) {
    mobiles.push(new MobileClient({ url, sid: uniqueSid(), code: '000000', timeoutMs: patienceMs }));
  }
  await waiting(count - signInsMax);
  const userIds = new Map<string, number>();
  const answer = (country_code: string, phone_number: string) => {
    const sid = sidOf(country_code, phone_number);
    userIds.set(sid, userIds.get(sid) ?? 1_000_000 + userIds.size);
    return { user_id: userIds.get(sid) as number, sid, group_ids: [] };
  };
  fixture.core.always('REPLAY_GROUPS', () => ({ memberships: [] }));
  fixture.core.always('AUTHORIZATION_SIGN_IN', (params) => answer(params.country_code, params.phone_number));
  for (let open = 0; open < signInsMax; open += 1) {
    const request = await fixture.core.next('AUTHORIZATION_SIGN_IN', () => true);
    await request.succeed(answer(request.params.country_code, request.params.phone_number));
  }
  await Promise.all(mobiles.map((mobile) => mobile.signedIn()));
  const frames = mobiles.flatMap((mobile) => mobile.frames.map(({ type }) => type));
  expect(frames).toEqual(mobiles.map(() => 'AUTHORIZATION_SIGN_IN_SUCCESS'));
  expect(mobiles.flatMap(({ closes }) => closes)).toEqual([]);
});

test('handshakes beyond the rate wait, more than may wait get 503 and learn when to come back, and then get in', async () => {
  const { url } = fixture.system.gateway(slow);
  const refusedMetric = () =>
    metric(fixture.system.gateway(slow), 'gateway_upgrades_refused_total', { reason: 'line full' });
  const refused = await until('a handshake is refused', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(url, upgradeRequest())));
    for (const { socket } of answers) socket.destroy();
    return answers.find(({ status }) => status === 503);
  });
  const seconds = Number(refused?.headers['retry-after']);
  expect(Number.isInteger(seconds) && seconds >= 1 && seconds <= 10).toBe(true);
  expect(refused?.body).toContain('Connect again');
  expect(await refusedMetric()).toBeGreaterThan(0);
  expect(fixture.system.gateway(slow).log()).toMatch(/"kind":"line full","source":"127\.0\.0\.1".*no room/);
  expect(await metric(fixture.system.gateway(slow), 'gateway_handshake_wait_seconds_count')).toBeGreaterThan(
    0,
  );
  await until('a handshake is accepted', async () => {
    const { status, socket } = await ask(url, upgradeRequest());
    socket.destroy();
    return status === 101;
  });
});

import { MobileClient } from '@hooligram/conformance';
import {
  connect,
  metrics,
  patienceMs,
  startSystem,
  type TestClient,
  type TestSystem,
  uniqueSid,
} from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';

const rounds = 200;

let system: TestSystem;

beforeAll(async () => {
  // Nothing is due in this time, so nothing is sent again: what comes twice here was sent twice for nothing.
  const env = { DELIVERY_ACK_DEADLINE_MS: '3600000' };
  system = await startSystem({ gateways: 1, cores: 1, gatewayEnv: env, coreEnv: env });
});

/** They would come back again and again after a test that failed. */
const mobiles: MobileClient[] = [];

afterEach(() => Promise.all(mobiles.splice(0).map((mobile) => mobile.stop())));
afterAll(() => system?.stop());

type Frame = { readonly type: string; readonly payload: { readonly message_id?: number } };

/** A user with the mobile client and one with another client, both in a group. */
async function pair(): Promise<{ mobile: MobileClient; other: TestClient; group_id: number }> {
  const { url } = system.gateway(0);
  const [mobileSid, otherSid] = [uniqueSid(), uniqueSid()];
  const other = await connect(url);
  await other.register(mobileSid);
  await other.signIn(otherSid);
  const mobile = new MobileClient({ url, sid: mobileSid, code: '000000', timeoutMs: patienceMs });
  mobiles.push(mobile);
  await mobile.signedIn();
  const member_sids = [mobileSid, otherSid];
  const { payload } = await other.requestOk('GROUP_CREATE', { group_name: '', member_sids });
  await mobile.next(({ type }) => type === 'GROUP_DELIVER_REQUEST', 'the group');
  return { mobile, other, group_id: payload.group_id as number };
}

function messageIds(frames: readonly Frame[]): number[] {
  return frames
    .filter(({ type }) => type === 'MESSAGING_DELIVER_REQUEST')
    .map(({ payload }) => payload.message_id as number);
}

/** How many frames of each type there are. */
function counts(frames: readonly Frame[]): Record<string, number> {
  const byType: Record<string, number> = {};
  for (const { type } of frames) byType[type] = (byType[type] ?? 0) + 1;
  return byType;
}

test('a client that sends back every frame that it is sent chats on, gets everything once, and is sent no more than others', async () => {
  const { mobile, other, group_id } = await pair();
  const sent: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const [own, others] = await Promise.all([
      mobile.request('MESSAGING_SEND', { group_id, content: `mobile ${round}` }),
      other.requestOk('MESSAGING_SEND', { group_id, content: `other ${round}` }),
    ]);
    sent.push(own.payload.message_id as number, others.payload.message_id as number);
    mobile.act('GO_TO_GROUP_MESSAGE');
  }
  await mobile.until((frames) => messageIds(frames).length >= sent.length, 'every message');
  await other.waitFor((frames) => messageIds(frames).length >= sent.length);
  await mobile.request('CONN_KEEP_ALIVE', {});
  await other.roundTrip();
  const inOrder = sent.sort((a, b) => a - b);
  expect(messageIds(mobile.frames)).toEqual(inOrder);
  expect(messageIds(other.frames)).toEqual(inOrder);
  expect(counts(mobile.frames)).toEqual({
    AUTHORIZATION_SIGN_IN_SUCCESS: 1,
    GROUP_DELIVER_REQUEST: 1,
    MESSAGING_SEND_SUCCESS: rounds,
    MESSAGING_DELIVER_REQUEST: 2 * rounds,
    CONN_KEEP_ALIVE_SUCCESS: 1,
  });
  expect(mobile.closes).toEqual([]);

  // No other client is here: the mobile client sent these frames, one for each that it got.
  const { value } = await metrics(system.gateway(0).adminUrl);
  const ignored = (reason: string) => value('hooligram_gateway_frames_ignored_total', { reason });
  expect(ignored('server-type')).toBeGreaterThanOrEqual(3 * rounds);
  expect(ignored('server-type')).toBeLessThanOrEqual(mobile.frames.length);
  expect(ignored('unknown-type')).toBeGreaterThanOrEqual(rounds);
  expect(value('hooligram_gateway_bad_frames_total')).toBe(0);
  expect(value('hooligram_gateway_messages_redelivered_total')).toBe(0);
});

test('a message that is too large to be sent back by a client does not cost that client its connection', async () => {
  const { mobile, other, group_id } = await pair();
  const frame = JSON.stringify({
    id: '1',
    type: 'MESSAGING_SEND_REQUEST',
    payload: { group_id, content: '' },
  });
  const content = 'x'.repeat(64 * 1_024 - frame.length);
  const { payload } = await other.requestOk('MESSAGING_SEND', { group_id, content }, '1');
  const isIt = (received: Frame) => received.payload.message_id === payload.message_id;
  const delivery = await mobile.next(isIt, 'the message');
  expect(JSON.stringify(delivery).length).toBeGreaterThan(64 * 1_024);
  await mobile.request('CONN_KEEP_ALIVE', {});
  expect(mobile.closes).toEqual([]);
});

test('after a close it comes back with its code, and gets its groups and what it missed, once', async () => {
  const { mobile, other, group_id } = await pair();
  mobile.cut();
  const { payload } = await other.requestOk('MESSAGING_SEND', { group_id, content: 'meanwhile' });
  await mobile.signedIn(2);
  await mobile.until((frames) => messageIds(frames).length > 0, 'what it missed');
  await mobile.request('CONN_KEEP_ALIVE', {});
  expect(messageIds(mobile.frames)).toEqual([payload.message_id]);
  expect(counts(mobile.frames)).toEqual({
    AUTHORIZATION_SIGN_IN_SUCCESS: 2,
    GROUP_DELIVER_REQUEST: 2,
    MESSAGING_DELIVER_REQUEST: 1,
    CONN_KEEP_ALIVE_SUCCESS: 1,
  });
  expect(mobile.closes).toHaveLength(1);
});

import {
  connect,
  metrics,
  startSystem,
  type TestClient,
  type TestSystem,
  uniqueSid,
} from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, metric } from './fixture.ts';

const contentBytes = 50_000;
/** 10 MB: more than the kernel keeps for a connection that is not read, and the limit on top. */
const messages = 200;
const messagesAtOnce = 10;

let system: TestSystem;

beforeAll(async () => {
  system = await startSystem({
    gateways: 1,
    // Nothing comes twice because it was acknowledged late.
    // Who reads nothing answers no ping, and a busy machine takes long.
    env: { DELIVERY_ACK_DEADLINE_MS: '600000', IDLE_TIMEOUT_SECONDS: '960' },
    gatewayEnv: {
      BACKPRESSURE_MAX_BYTES: String(1_048_576),
      SESSION_RUN_MAX: '16',
      SESSION_QUEUE_BYTES_MAX: String(2 * messages * contentBytes),
    },
  });
});

afterAll(() => system?.stop());

async function enter(gateway = 0) {
  const client = await connect(system.gateway(gateway).url);
  const sid = uniqueSid();
  await client.signIn(sid);
  return { client, sid };
}

function numbersIn(client: TestClient): number[] {
  return client
    .received('MESSAGING_DELIVER_REQUEST')
    .map(({ payload }) => Number.parseInt(payload.content ?? '', 10));
}

const slowClosed = () => metric(system.gateway(0), 'gateway_slow_closed_total');

test('a client that reads too slowly is closed and counted, no other waits for it, and it comes back to everything in order', async () => {
  const [ada, bob, cat] = [await enter(), await enter(), await enter()];
  const { payload } = await ada.client.requestOk('GROUP_CREATE', {
    group_name: 'a group',
    member_sids: [ada.sid, bob.sid, cat.sid],
  });
  const { group_id } = payload;
  for (const { client } of [ada, bob, cat]) await client.next('GROUP_DELIVER_REQUEST');
  const before = await slowClosed();
  bob.client.socket.pause();
  // Never so much at once that those who do read could be behind by what closes a connection.
  for (let from = 0; from < messages; from += messagesAtOnce) {
    const sent = Array.from({ length: messagesAtOnce }, (_, index) =>
      ada.client.requestOk('MESSAGING_SEND', {
        group_id,
        content: `${from + index} `.padEnd(contentBytes, 'x'),
      }),
    );
    await cat.client.roundTrip();
    await Promise.all(sent);
    for (const { client } of [ada, cat]) {
      await client.waitFor(() => numbersIn(client).at(-1) === from + messagesAtOnce - 1);
    }
  }
  await eventually(async () => (await metric(system.gateway(0), 'gateway_connections')) === 2, 'bob is gone');
  expect(await slowClosed()).toBe(before + 1);
  const all = Array.from({ length: messages }, (_, index) => index);
  expect(numbersIn(ada.client)).toEqual(all);
  expect(numbersIn(cat.client)).toEqual(all);

  // What the kernel still had for bob is a beginning of the whole, without a gap.
  bob.client.socket.resume();
  // No close frame gets past what was not read.
  expect((await bob.client.closed).code).toBe(1006);
  const got = numbersIn(bob.client);
  expect(got).toEqual(all.slice(0, got.length));
  expect(got.length).toBeLessThan(messages);

  const back = await connect(system.gateway(0).url);
  await back.authorize(bob.sid);
  await back.waitFor(() => numbersIn(back).at(-1) === messages - 1);
  const again = numbersIn(back);
  expect(again).toEqual(all.slice(all.length - again.length));
  expect(again[0]).toBeLessThanOrEqual(got.length);
  expect(await slowClosed()).toBe(before + 1);
  for (const client of [ada.client, cat.client, back]) client.terminate();
});

test('a client that does not read the answers to its own requests is closed and counted', async () => {
  const ada = await enter();
  const before = await slowClosed();
  ada.client.socket.pause();
  for (let sent = 0; (await slowClosed()) === before; ) {
    for (const end = sent + 5_000; sent < end; sent += 1) {
      ada.client.send('CONN_KEEP_ALIVE_REQUEST', {}, `${sent} `.padEnd(128, 'x'));
    }
  }
  expect(await slowClosed()).toBe(before + 1);
  ada.client.socket.resume();
  await ada.client.closed;
});

test('when clients together leave too much unread, the one that reads worst is closed and the others stay', async () => {
  const budgetBytes = 1_000_000;
  const gateway = await system.addGateway({
    SOCKET_BUFFERS_BYTES_MAX: String(budgetBytes),
    BACKPRESSURE_MAX_BYTES: String(64 * budgetBytes),
  });
  const index = system.gateways.indexOf(gateway);
  const [ada, bob, cat] = [await enter(index), await enter(index), await enter(index)];
  const create = async (...members: { sid: string }[]) => {
    const member_sids = members.map(({ sid }) => sid);
    return (await ada.client.requestOk('GROUP_CREATE', { group_name: 'a group', member_sids })).payload
      .group_id;
  };
  const [two, three] = [await create(ada, bob), await create(ada, bob, cat)];
  const say = async (group_id: number | undefined, count: number) => {
    for (let sent = 0; sent < count; sent += 1) {
      await ada.client.requestOk('MESSAGING_SEND', {
        group_id,
        content: `${sent} `.padEnd(contentBytes, 'x'),
      });
    }
  };
  const unread = () => metric(gateway, 'gateway_socket_buffers_bytes');
  bob.client.socket.pause();
  cat.client.socket.pause();
  while ((await unread()) < budgetBytes / 2) await say(two, 5);
  expect(await metric(gateway, 'gateway_slow_closed_total')).toBe(0);
  await eventually(async () => (await metric(gateway, 'gateway_connections_behind')) === 1, 'bob is behind');
  await say(three, 12);
  await eventually(async () => (await metric(gateway, 'gateway_connections')) === 2, 'bob is gone');
  const { value } = await metrics(gateway.adminUrl);
  expect(value('hooligram_gateway_slow_closed_total', { cause: 'gateway' })).toBe(1);
  expect(gateway.log()).toMatch(/"kind":"gateway","source":"127\.0\.0\.1".*its client reads too slowly/);
  expect(await unread()).toBeLessThan(budgetBytes);
  bob.client.socket.resume();
  expect((await bob.client.closed).code).toBe(1006);
  cat.client.socket.resume();
  await cat.client.waitFor(() => numbersIn(cat.client).length === 12);
  for (const client of [ada.client, cat.client]) client.terminate();
});

test('a client that breaks off is not counted as slow', async () => {
  const [ada, bob] = [await enter(), await enter()];
  const before = await slowClosed();
  const connections = await metric(system.gateway(0), 'gateway_connections');
  ada.client.terminate();
  await bob.client.close();
  await eventually(
    async () => (await metric(system.gateway(0), 'gateway_connections')) === connections - 2,
    'both are gone',
  );
  expect(await slowClosed()).toBe(before);
});

import {
  connect,
  startSystem,
  type TestClient,
  type TestClientOptions,
  type TestSystem,
  uniqueSid,
  until,
} from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { envOf, hooligram, patientEnvOf } from './hooligram.ts';

let system: TestSystem;
const open: TestClient[] = [];

beforeAll(async () => {
  // The first redelivery comes soon, and no further one.
  const env = {
    DELIVERY_ACK_DEADLINE_MS: '200',
    DELIVERY_RETRY_MS: '600000',
    DELIVERY_RETRY_MAX_MS: '600000',
  };
  system = await startSystem({ gateways: 2, cores: 1, env });
});
afterAll(async () => {
  for (const client of open) client.terminate();
  await system?.stop();
});

const run = (...args: string[]) => hooligram(patientEnvOf(system), args);

async function enter(gateway: number, options: TestClientOptions = {}) {
  const sid = uniqueSid();
  const client = await connect(system.gateway(gateway).url, options);
  open.push(client);
  await client.signIn(sid);
  return { client, sid };
}

test('a message is traced: who has it, who lacks it, on which node, and which attempt is next', async () => {
  const [ada, bob, carol] = [await enter(0), await enter(1, { acknowledge: false }), await enter(1)];
  const made = await ada.client.requestOk('GROUP_CREATE', {
    group_name: 'traced',
    member_sids: [ada.sid, bob.sid, carol.sid],
  });
  const { group_id } = made.payload;
  await Promise.all(
    [bob, carol].map(({ client }) => client.next(({ payload }) => payload.group_id === group_id)),
  );
  carol.client.terminate();
  await carol.client.closed;
  const sent = await ada.client.requestOk('MESSAGING_SEND', { group_id, content: 'where are you?' });
  const message_id = sent.payload.message_id as number;
  const isIt = ({ type, payload }: { type: string; payload: { message_id?: number } }) =>
    type === 'MESSAGING_DELIVER_REQUEST' && payload.message_id === message_id;
  await ada.client.next(isIt);
  await bob.client.next(isIt);

  const traced = await until(
    'ada has it, and the next attempt for bob is known',
    async () => (await run('trace', String(message_id), '--json')).json(),
    ({ has, lacks }) => has === 1 && lacks.some(({ next }: { next: object | null }) => next !== null),
  );
  expect(traced).toMatchObject({
    message_id,
    group_id,
    seq: 1,
    sender_sid: ada.sid,
    members: 3,
    lacks_in_all: 2,
  });
  const [lackingBob, lackingCarol] = [bob, carol].map(({ sid }) =>
    traced.lacks.find((one: { sid: string }) => one.sid === sid),
  );
  expect(lackingBob).toMatchObject({
    delivered_seq: 0,
    on: [{ connections: 1, delivered_seq: 0 }],
    next: { attempt: expect.any(Number) },
  });
  expect(lackingCarol).toMatchObject({ on: [] });
  const { code, stdout } = await run('trace', String(message_id));
  expect([code, stdout]).toEqual([0, expect.stringContaining('1 of 3 members have acknowledged it')]);
  expect(stdout).toMatch(new RegExp(`lacking for \\d+ s: ${carol.sid}, not connected`));
});

test('a message that does not exist, and a user who does not, are said so', async () => {
  const message = await run('trace', '9999999999');
  expect([message.code, message.stderr]).toEqual([
    1,
    expect.stringContaining('there is no message 9999999999'),
  ]);
  expect((await run('trace', 'first')).code).toBe(2);
  const user = await run('sessions', 'list', '1.0000000');
  expect([user.code, user.stderr]).toEqual([
    1,
    'hooligram: there is no user 1.0000000: give a sid, such as 1.5550100, or user id\n',
  ]);
});

test("a user's connections are listed on all gateways, and ended on all of them and for nobody else", async () => {
  const one = await enter(0);
  const two = await connect(system.gateway(1).url);
  open.push(two);
  await two.authorize(one.sid);
  const other = await enter(0);
  const { user_id, on } = (await run('sessions', 'list', one.sid, '--json')).json();
  expect(on.map(({ connections }: { connections: number }) => connections)).toEqual([1, 1]);
  expect((await run('sessions', 'end', String(user_id), '--json')).json()).toMatchObject({
    sid: one.sid,
    closed: 2,
  });
  await Promise.all([one.client.closed, two.closed]);
  await other.client.roundTrip();
  expect((await run('sessions', 'list', one.sid)).stdout).toContain('is not connected');
});

test('two users chat in their terminals', async () => {
  const bob = await enter(1);
  const input = `/new - ${bob.sid}\nhello from a terminal\n/quit\n`;
  const url = system.gateway(0).url;
  const chatting = hooligram(envOf(system), ['chat', uniqueSid(), '--url', url, '--code', '000000'], input);
  const isHello = ({ payload }: { payload: { content?: string } }) =>
    payload.content === 'hello from a terminal';
  expect(await bob.client.next(isHello)).toMatchObject({ type: 'MESSAGING_DELIVER_REQUEST' });
  const { code, stdout } = await chatting;
  expect([code, stdout]).toEqual([0, expect.stringContaining('signed in as ')]);
});

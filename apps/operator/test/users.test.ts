import { sidOf } from '@hooligram/protocol';
import { connect, startSystem, type TestClient, type TestSystem, uniqueSid } from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { hooligram, patientEnvOf } from './hooligram.ts';

let system: TestSystem;
const clients: TestClient[] = [];

beforeAll(async () => {
  system = await startSystem({ gateways: 2, cores: 1 });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.terminate();
});
afterAll(() => system?.stop());

const run = (...args: string[]) => hooligram(patientEnvOf(system), args);

async function open(gateway: number, options = {}): Promise<TestClient> {
  const client = await connect(system.gateway(gateway).url, options);
  clients.push(client);
  return client;
}

async function create(client: TestClient, group_name: string, member_sids: string[]): Promise<number> {
  const { payload } = await client.requestOk('GROUP_CREATE', { group_name, member_sids });
  return payload.group_id ?? 0;
}

/** The members of a group, as a client was told last. */
function membersOf(client: TestClient, groupId: number): Promise<readonly string[]> {
  return client.waitFor((frames) => {
    const states = frames.filter(
      ({ type, payload }) => type === 'GROUP_DELIVER_REQUEST' && payload.group_id === groupId,
    );
    const sids = states.at(-1)?.payload.member_sids;
    return sids?.includes(ada) ? undefined : sids;
  });
}

const ada = uniqueSid();
const bob = uniqueSid();
const cat = uniqueSid();

test('deleting an account ends its sessions, takes it out of its groups and its number out of everything; the number can begin anew', async () => {
  const phone = await open(0);
  await phone.signIn(ada);
  const page = await open(1);
  await page.authorize(ada);
  // Receives what is sent, and acknowledges no message: it has to be delivered after the deletion, too.
  const bobs = await open(1, { acknowledge: false });
  await bobs.signIn(bob);
  const cats = await open(0);
  await cats.signIn(cat);
  const group = await create(phone, 'walks', [ada, bob, cat]);
  const pair = await create(phone, '', [ada, bob]);
  const { payload: stored } = await phone.requestOk('MESSAGING_SEND', { group_id: group, content: 'hello' });

  const asked = await run('users', 'delete', ada);
  expect([asked.code, asked.stdout]).toEqual([0, expect.stringContaining(`would delete ${ada}`)]);
  await phone.roundTrip();
  const deleted = await run('users', 'delete', ada, '--apply', '--json');
  expect([deleted.stderr, deleted.code]).toEqual(['', 0]);
  const { user_id, groups } = deleted.json();
  expect(groups).toBe(2);
  for (const client of [phone, page]) expect((await client.closed).code).toBe(4401);
  expect(await membersOf(cats, group)).toEqual([bob, cat].sort());
  expect(await membersOf(bobs, pair)).toEqual([bob]);

  // What was said stays, from nobody's number.
  bobs.terminate();
  const again = await open(0);
  await again.authorize(bob);
  const { payload } = await again.next('MESSAGING_DELIVER_REQUEST');
  const nobody = sidOf('0', String(user_id).padStart(4, '0'));
  expect(payload).toMatchObject({ message_id: stored.message_id, content: 'hello', sender_sid: nobody });
  const named = await again.request('GROUP_CREATE', { group_name: 'x', member_sids: [bob, nobody] });
  expect(named.type).toBe('GROUP_CREATE_FAILURE');

  const late = await open(1);
  const credential = {
    country_code: ada.split('.')[0],
    phone_number: ada.split('.')[1],
    verification_code: '000000',
  };
  expect((await late.request('AUTHORIZATION_SIGN_IN', credential)).type).toBe(
    'AUTHORIZATION_SIGN_IN_FAILURE',
  );
  expect((await run('users', 'delete', ada, '--apply')).stderr).toContain(`there is no user ${ada}`);
  await late.signIn(ada);
  await late.roundTrip();
  expect(late.frames.filter(({ type }) => type === 'GROUP_DELIVER_REQUEST')).toEqual([]);
  const found = await run('sessions', 'list', ada, '--json');
  expect(found.json().user_id).not.toBe(user_id);
});

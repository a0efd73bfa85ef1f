import {
  connect,
  type OwnSentinel,
  ownSentinel,
  startSystem,
  type TestSystem,
  uniqueSid,
} from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createGroup, receiveMessage, type SignedInClient, sendMessage } from './fixture.ts';

let stores: OwnSentinel;
let system: TestSystem;
let open: SignedInClient[] = [];

beforeAll(async () => {
  stores = await ownSentinel();
  system = await startSystem({ gateways: 2, cores: 1, env: { REDIS_URL: stores.url } });
});

afterEach(() => {
  for (const { client } of open) client.terminate();
  open = [];
});

afterAll(async () => {
  await system?.stop();
  await stores?.stop();
});

/** Ada and Bob on two gateways, with a group of theirs. */
async function pair() {
  const enter = async (gateway: number) => {
    const person = { sid: uniqueSid(), client: await connect(system.gateway(gateway).url) };
    await person.client.signIn(person.sid);
    open.push(person);
    return person;
  };
  const [ada, bob] = [await enter(0), await enter(1)];
  return { ada, bob, group_id: await createGroup(ada, [bob.sid]) };
}

/** Sends messages while something happens, each until it is answered with SUCCESS. @returns their ids */
async function sendWhile(ada: SignedInClient, group_id: number, happens: () => Promise<void>) {
  let isOver = false;
  const over = happens().finally(() => {
    isOver = true;
  });
  const ids: number[] = [];
  for (let index = 0; !isOver || index < 20; index += 1) ids.push(await sendAtLast(ada, group_id, index));
  await over;
  for (let index = 0; index < 20; index += 1) ids.push(await sendAtLast(ada, group_id, index));
  return ids;
}

async function sendAtLast({ client }: SignedInClient, group_id: number, index: number): Promise<number> {
  for (;;) {
    const { type, payload } = await client.request('MESSAGING_SEND', {
      group_id,
      content: `number ${index}`,
    });
    if (type === 'MESSAGING_SEND_SUCCESS') return payload.message_id as number;
    // Not stored: it is safe to send it again.
    expect(payload.errors).toEqual(['server busy']);
  }
}

test.each([
  ['a Sentinel makes the replica the primary', () => stores.failOver()],
  ['the primary dies', () => stores.killPrimary()],
])(
  'when %s, every process finds the new one, and each message that was answered arrives once, in order',
  async (_, happens) => {
    const { ada, bob, group_id } = await pair();
    const ids = await sendWhile(ada, group_id, happens);
    for (const id of ids) await receiveMessage(bob, id);
    const received = bob.client
      .received('MESSAGING_DELIVER_REQUEST')
      .map(({ payload }) => payload.message_id);
    expect([...new Set(received)]).toEqual(ids);
    await receiveMessage(ada, await sendMessage(bob, group_id, 'and back'));
  },
);

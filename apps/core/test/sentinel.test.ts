import {
  connect,
  ownSentinel,
  type SentinelSet,
  startSystem,
  type TestSystem,
  uniqueSid,
} from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Database, openDatabase } from './database.ts';
import { createGroup, receiveMessage, type SignedInClient, sendMessage } from './fixture.ts';

/** Requests under way at once, and how many each sender sends when it is over. */
const [atOnce, eachAfterwards] = [4, 10];

let stores: SentinelSet;
let system: TestSystem;
let database: Database;
let open: SignedInClient[] = [];

beforeAll(async () => {
  stores = await ownSentinel();
  system = await startSystem({ gateways: 2, cores: 1, env: { REDIS_URL: stores.url } });
  database = openDatabase(system.databaseUrl);
});

afterEach(() => {
  for (const { client } of open) client.terminate();
  open = [];
});

afterAll(async () => {
  await database?.close();
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

/**
 * Sends messages while something happens, and some more, several at a time, each until it is answered with SUCCESS.
 * @returns their ids
 */
async function sendWhile(ada: SignedInClient, group_id: number, happens: () => Promise<void>) {
  let isOver = false;
  const over = happens().finally(() => {
    isOver = true;
  });
  const ids: number[] = [];
  const sendOn = async (sender: number) => {
    for (let left = eachAfterwards; left > 0; left -= isOver ? 1 : 0)
      ids.push(await sendAtLast(ada, group_id, `${sender}: number ${ids.length}`));
  };
  await Promise.all([over, ...Array.from({ length: atOnce }, (_, sender) => sendOn(sender))]);
  return ids;
}

async function sendAtLast({ client }: SignedInClient, group_id: number, content: string): Promise<number> {
  for (;;) {
    const { type, payload } = await client.request('MESSAGING_SEND', { group_id, content });
    if (type === 'MESSAGING_SEND_SUCCESS') return payload.message_id as number;
    // Not stored: it is safe to send it again.
    expect(payload.errors).toEqual(['server busy']);
  }
}

test.each([
  ['a Sentinel makes the replica the primary', () => stores.failOver()],
  ['the primary dies', () => stores.killPrimary()],
])(
  'when %s, every process finds the new one, and what was answered is all that is stored, and arrives once, in order',
  async (_, happens) => {
    // Without a replica nobody could take over.
    await stores.whole();
    const { ada, bob, group_id } = await pair();
    const ids = await sendWhile(ada, group_id, happens);
    const stored = await database.rows<{ id: string }>(
      'SELECT id FROM message WHERE group_id = $1 ORDER BY seq',
      [group_id],
    );
    const inOrder = stored.map(({ id }) => Number(id));
    expect([...inOrder].sort((one, other) => one - other)).toEqual(ids.sort((one, other) => one - other));
    for (const id of inOrder) await receiveMessage(bob, id);
    const received = bob.client
      .received('MESSAGING_DELIVER_REQUEST')
      .map(({ payload }) => payload.message_id);
    expect([...new Set(received)]).toEqual(inOrder);
    await receiveMessage(ada, await sendMessage(bob, group_id, 'and back'));
  },
);

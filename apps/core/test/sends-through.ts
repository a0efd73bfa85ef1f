import { connect, type TestSystem, uniqueSid } from '@hooligram/testkit';
import { expect } from '@jest/globals';
import type { Database } from './database.ts';
import { createGroup, receiveMessage, type SignedInClient, sendMessage } from './fixture.ts';

/** Requests under way at once, and how many each sender sends when it is over. */
const [atOnce, eachAfterwards] = [4, 10];

/**
 * Ada and Bob, on two gateways, have a group, and Ada sends while something happens to Redis. What was answered has to be all
 * that is stored, and has to arrive once, in order; and then Bob sends.
 *
 * @param happens gets the group's id
 * @param isWanted whether it shall be a group with this id
 */
export async function sendThrough(
  system: TestSystem,
  database: Database,
  happens: (group_id: number) => Promise<void>,
  isWanted: (group_id: number) => boolean = () => true,
): Promise<void> {
  const [ada, bob] = [await enter(system, 0), await enter(system, 1)];
  try {
    let group_id = 0;
    while (group_id === 0 || !isWanted(group_id)) group_id = await createGroup(ada, [bob.sid, uniqueSid()]);
    const ids = await sendWhile(ada, group_id, () => happens(group_id));
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
  } finally {
    for (const { client } of [ada, bob]) client.terminate();
  }
}

/** Somebody new, on this gateway. */
export async function enter(system: TestSystem, gateway: number): Promise<SignedInClient> {
  const person = { sid: uniqueSid(), client: await connect(system.gateway(gateway).url) };
  await person.client.signIn(person.sid);
  return person;
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

import { parseDeliveryId } from '@hooligram/protocol';
import { metrics, uniqueSid } from '@hooligram/testkit';
import { describe, expect, test } from '@jest/globals';
import {
  contents,
  createGroup,
  messagesOnly,
  nothing,
  receiveMessage,
  type SignedInClient,
  sendMessage,
  sendTo,
  startFixture,
  state,
  until,
} from './fixture.ts';

// What was acknowledged is written at once: the tests wait for it.
// Nothing comes twice because a busy machine acknowledged it late.
const fixture = startFixture({
  gateways: 2,
  cores: 2,
  env: { DELIVERY_ACK_DEADLINE_MS: '600000' },
  gatewayEnv: { CURSOR_FLUSH_MS: '10' },
});

const ignored = 'hooligram_gateway_acknowledgements_ignored_total';
const refused = 'hooligram_gateway_deliveries_refused_total';

/** Two users on two gateways, and a group of theirs that both have received. */
async function pair(options?: { readonly bob: Parameters<typeof fixture.enter>[1] }): Promise<{
  ada: SignedInClient;
  bob: SignedInClient;
  group_id: number;
}> {
  const [ada, bob] = [await fixture.enter(0), await fixture.enter(1, options?.bob)];
  const group_id = await createGroup(ada, [bob.sid]);
  for (const person of [ada, bob]) await state(person, group_id);
  return { ada, bob, group_id };
}

/** Sends all of them, one after the other. @returns the ids */
async function sayAll(person: SignedInClient, group_id: number, texts: readonly string[]): Promise<number[]> {
  const ids: number[] = [];
  for (const text of texts) ids.push(await sendMessage(person, group_id, text));
  return ids;
}

const acknowledge = ({ client }: SignedInClient, message_id: number | undefined, id = 'mine') =>
  client.send('MESSAGING_DELIVER_SUCCESS', { message_id }, id);

/** What a user who signs in again receives of a group before a message that is sent then. */
async function undelivered(
  sid: string,
  speaker: SignedInClient,
  group_id: number,
  gateway = 0,
): Promise<unknown[]> {
  const returned = await fixture.returning(sid, gateway, nothing);
  await sendTo(returned, speaker, group_id, 'fence');
  return contents(returned, group_id).slice(0, -1);
}

const numbered = (count: number, prefix = '') =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

test('a delivery is timed from its commit to its acknowledgement, live and in a replay', async () => {
  const count = async (path: string) =>
    (await metrics(fixture.system.gateway(1).adminUrl)).value('hooligram_gateway_delivery_seconds_count', {
      path,
    });
  const { ada, bob, group_id } = await pair();
  const [live, replay] = [await count('live'), await count('replay')];
  await receiveMessage(bob, await sendMessage(ada, group_id, 'live'));
  await until('the live delivery is timed', async () => (await count('live')) === live + 1);
  await bob.client.close();
  await sayAll(ada, group_id, ['one', 'two']);
  await fixture.returning(bob.sid, 1);
  await until('the replayed ones are', async () => (await count('replay')) === replay + 2);
  expect(await count('live')).toBe(live + 1);
});

describe('sign-in', () => {
  test('replays all groups first, then everything undelivered, oldest first, over many pages', async () => {
    const ada = await fixture.enter(0);
    const bob = uniqueSid();
    const groups = [
      await createGroup(ada, [bob]),
      await createGroup(ada, [bob, uniqueSid()]),
      await createGroup(ada, [bob, uniqueSid()]),
    ];
    const empty = await createGroup(ada, [bob, uniqueSid()]);
    const sent = new Map(
      groups.map((group_id, index) => [group_id, numbered([600, 3, 40][index] as number, `${index}.`)]),
    );
    for (const [group_id, texts] of sent) {
      for (const content of texts) ada.client.send('MESSAGING_SEND_REQUEST', { group_id, content });
    }
    await ada.client.waitFor(() => contents(ada).length === 643);
    const client = await fixture.connect(1);
    await client.register(bob);
    await client.authorize(bob);
    const person = { sid: bob, client };
    await client.waitFor(() => contents(person).length === 643);
    for (const [group_id, texts] of sent) expect(contents(person, group_id)).toEqual(texts);
    const types = client.frames.map(({ type }) => type).filter((type) => !type.startsWith('VERIFICATION'));
    expect(types.slice(0, 6)).toEqual([
      'AUTHORIZATION_SIGN_IN_SUCCESS',
      ...Array<string>(4).fill('GROUP_DELIVER_REQUEST'),
      'MESSAGING_DELIVER_REQUEST',
    ]);
    expect(new Set(types.slice(5)).size).toBe(1);
    expect(
      client
        .received('GROUP_DELIVER_REQUEST')
        .map(({ payload }) => payload.group_id)
        .sort(),
    ).toEqual([...groups, empty].sort());
  });

  test('delivers undelivered messages and those that are sent meanwhile without a gap, in order', async () => {
    const { ada, bob, group_id } = await pair();
    await bob.client.close();
    const sent = numbered(700);
    for (const content of sent.slice(0, 350))
      ada.client.send('MESSAGING_SEND_REQUEST', { group_id, content });
    await ada.client.waitFor(() => contents(ada).length >= 300);
    for (const content of sent.slice(350)) ada.client.send('MESSAGING_SEND_REQUEST', { group_id, content });
    const returned = await fixture.returning(bob.sid, 1);
    await returned.client.waitFor(() => contents(returned).length === 700);
    expect(contents(returned)).toEqual(sent);
  });

  test('without any group is a success and nothing more', async () => {
    const ada = await fixture.enter(0);
    await ada.client.roundTrip();
    const bob = await fixture.enter(1);
    const group_id = await createGroup(bob, [ada.sid]);
    await receiveMessage(ada, await sendMessage(bob, group_id, 'fence'));
    expect(ada.client.received('GROUP_DELIVER_REQUEST')).toHaveLength(1);
    expect(ada.client.received('MESSAGING_DELIVER_REQUEST')).toHaveLength(1);
  });
});

describe('an acknowledgement', () => {
  test('on any connection of a user counts for the user: the next sign-in does not deliver the message again', async () => {
    const { ada, bob, group_id } = await pair({ bob: nothing });
    const others = [await fixture.returning(bob.sid, 0, nothing), await fixture.returning(bob.sid, 1)];
    for (const person of others) await state(person, group_id);
    const last = (await sayAll(ada, group_id, ['one', 'two', 'three'])).at(-1) as number;
    for (const person of [bob, ...others]) {
      await receiveMessage(person, last);
      expect(contents(person)).toEqual(['one', 'two', 'three']);
    }
    await fixture.untilAcknowledged(bob.sid, group_id, { seq: 3 });
    for (const person of [bob, ...others]) await person.client.close();
    for (const gateway of [0, 1]) {
      const before = await undelivered(bob.sid, ada, group_id, gateway);
      expect(before).toEqual(gateway === 0 ? [] : ['fence']);
    }
  });

  test('counts for its own user only: another member still receives the message', async () => {
    const { ada, bob, group_id } = await pair({ bob: nothing });
    await receiveMessage(bob, await sendMessage(ada, group_id, 'one'));
    await fixture.untilAcknowledged(ada.sid, group_id, { seq: 1 });
    expect(await undelivered(bob.sid, ada, group_id)).toEqual(['one']);
  });

  test('of some messages leaves the later ones to be delivered again', async () => {
    const { ada, bob, group_id } = await pair({ bob: nothing });
    const ids = await sayAll(ada, group_id, numbered(5));
    for (const id of ids) await receiveMessage(bob, id);
    for (const id of ids.slice(0, 3)) acknowledge(bob, id);
    await fixture.untilAcknowledged(bob.sid, group_id, { seq: 3 });
    expect(await undelivered(bob.sid, ada, group_id)).toEqual(['3', '4']);
  });

  test('before those of older messages leaves the older ones to be delivered again, until they are acknowledged', async () => {
    const { ada, bob, group_id } = await pair({ bob: nothing });
    const ids = await sayAll(ada, group_id, numbered(4));
    for (const id of ids) await receiveMessage(bob, id);
    acknowledge(bob, ids[0]);
    acknowledge(bob, ids[2]);
    await fixture.untilAcknowledged(bob.sid, group_id, { seq: 1 });
    const between = await undelivered(bob.sid, ada, group_id);
    expect(between[0]).toBe('1');
    expect(between.at(-1)).toBe('3');
    acknowledge(bob, ids[1]);
    await fixture.untilAcknowledged(bob.sid, group_id, { seq: 3 });
    expect(await undelivered(bob.sid, ada, group_id)).toEqual(['3', 'fence']);
  });

  test('in any order acknowledges all in the end', async () => {
    const { ada, bob, group_id } = await pair({ bob: nothing });
    const ids = await sayAll(ada, group_id, numbered(20));
    for (const id of ids) await receiveMessage(bob, id);
    for (const id of ids.toReversed()) acknowledge(bob, id);
    await fixture.untilAcknowledged(bob.sid, group_id, { seq: 20 });
    expect(await undelivered(bob.sid, ada, group_id)).toEqual([]);
  });

  test('is matched by its message, whatever the id of its frame is', async () => {
    const { ada, bob, group_id } = await pair({ bob: nothing });
    const ids = await sayAll(ada, group_id, numbered(4));
    const heard = [];
    for (const id of ids) heard.push(await receiveMessage(bob, id));
    acknowledge(bob, ids[0], '');
    acknowledge(bob, ids[1], heard[3]?.id);
    acknowledge(bob, ids[2], 'x'.repeat(128));
    await fixture.untilAcknowledged(bob.sid, group_id, { seq: 3 });
    expect(await undelivered(bob.sid, ada, group_id)).toEqual(['3']);
    expect(bob.client.received('CONN_FRAME_FAILURE')).toEqual([]);
  });

  test('is not answered', async () => {
    const { ada, bob, group_id } = await pair({ bob: nothing });
    const delivery = await receiveMessage(bob, await sendMessage(ada, group_id, 'x'));
    const before = bob.client.frames.length;
    acknowledge(bob, delivery.payload.message_id);
    bob.client.send('GROUP_DELIVER_SUCCESS', { group_id });
    bob.client.send('MESSAGING_DELIVER_FAILURE', { errors: [] }, delivery.id);
    await bob.client.roundTrip();
    expect(bob.client.frames.slice(before).map(({ type }) => type)).toEqual(['CONN_KEEP_ALIVE_SUCCESS']);
  });

  test('again of what was acknowledged changes nothing', async () => {
    const { ada, bob, group_id } = await pair({ bob: nothing });
    const ids = await sayAll(ada, group_id, numbered(3));
    for (const id of ids) await receiveMessage(bob, id);
    for (let time = 0; time < 3; time += 1) for (const id of ids.slice(0, 2)) acknowledge(bob, id);
    await fixture.untilAcknowledged(bob.sid, group_id, { seq: 2 });
    expect(await undelivered(bob.sid, ada, group_id)).toEqual(['2']);
  });

  test('of a message of other users, or of no message, is ignored and counted, and marks nothing', async () => {
    const { ada, bob, group_id } = await pair({ bob: nothing });
    const eve = await fixture.enter(1);
    const delivery = await receiveMessage(bob, await sendMessage(ada, group_id, 'for Bob'));
    const before = await fixture.counted(ignored);
    acknowledge(eve, delivery.payload.message_id);
    acknowledge(eve, Number.MAX_SAFE_INTEGER);
    await until('both were counted', async () => (await fixture.counted(ignored)) >= before + 2);
    expect(await undelivered(bob.sid, ada, group_id)).toEqual(['for Bob']);
  });

  test('of a message from before the user joined is ignored and counted', async () => {
    const { ada, bob, group_id } = await pair();
    const group = await createGroup(ada, [bob.sid, uniqueSid()]);
    const old = await sendMessage(ada, group, 'before Eve');
    const eve = await fixture.enter(1, nothing);
    await ada.client.requestOk('GROUP_ADD_MEMBER', { group_id: group, member_sid: eve.sid });
    const first = await sendMessage(ada, group, 'with Eve');
    await receiveMessage(eve, first);
    await receiveMessage(bob, await sendMessage(ada, group_id, 'settled'));
    const before = await fixture.counted(ignored);
    acknowledge(eve, old);
    await until('it was counted', async () => (await fixture.counted(ignored)) >= before + 1);
    expect(await undelivered(eve.sid, ada, group)).toEqual(['with Eve']);
  });

  test('on a connection that is not signed in is ignored and counted, and marks nothing', async () => {
    const { ada, bob, group_id } = await pair({ bob: nothing });
    const { payload } = await receiveMessage(bob, await sendMessage(ada, group_id, 'for Bob'));
    const nobody = await fixture.connect(1);
    const before = await fixture.counted(ignored);
    nobody.send('MESSAGING_DELIVER_SUCCESS', { message_id: payload.message_id });
    nobody.send('GROUP_DELIVER_SUCCESS', { group_id });
    await until('both were counted', async () => (await fixture.counted(ignored)) >= before + 2);
    expect(await undelivered(bob.sid, ada, group_id)).toEqual(['for Bob']);
  });

  test('of a group that was not sent to the user, or more often than it was sent, is ignored and counted', async () => {
    const { bob, group_id } = await pair({ bob: nothing });
    const eve = await fixture.enter(1);
    const before = await fixture.counted(ignored);
    eve.client.send('GROUP_DELIVER_SUCCESS', { group_id });
    eve.client.send('GROUP_DELIVER_SUCCESS', { group_id: Number.MAX_SAFE_INTEGER });
    for (let time = 0; time < 3; time += 1) bob.client.send('GROUP_DELIVER_SUCCESS', { group_id });
    await until('four were counted', async () => (await fixture.counted(ignored)) >= before + 4);
    await fixture.untilAcknowledged(bob.sid, group_id, { version: 1 });
  });

  test.each([
    ['MESSAGING_DELIVER_SUCCESS', { message_id: '1' }, ['payload.message_id: must be an integer']],
    ['MESSAGING_DELIVER_SUCCESS', {}, ['payload.message_id: is required']],
    ['MESSAGING_DELIVER_FAILURE', {}, ['payload.errors: is required']],
    ['GROUP_DELIVER_SUCCESS', { group_id: -1 }, ['payload.group_id: must be a positive integer']],
    ['GROUP_DELIVER_FAILURE', { errors: 'none' }, ['payload.errors: must be a list']],
  ])('that is malformed marks nothing and gets its faults: %s %p', async (type, payload, errors) => {
    const { ada, bob, group_id } = await pair({ bob: nothing });
    const { id } = await receiveMessage(bob, await sendMessage(ada, group_id, 'x'));
    bob.client.send(type, payload, id);
    expect(await bob.client.next('CONN_FRAME_FAILURE')).toEqual({
      id,
      type: 'CONN_FRAME_FAILURE',
      payload: { errors },
    });
    expect(await undelivered(bob.sid, ada, group_id)).toEqual(['x']);
  });

  test('of a group raises what is stored of it, and never stops the group from being listed', async () => {
    const { ada, bob, group_id } = await pair();
    await fixture.untilAcknowledged(bob.sid, group_id, { version: 1 });
    const returned = await fixture.returning(bob.sid, 0, messagesOnly);
    await state(returned, group_id);
    await sendTo(returned, ada, group_id, 'fence');
    expect(contents(returned)).toEqual(['fence']);
  });
});

describe('a delivery', () => {
  test('that is answered with FAILURE is counted by the type that its id names, and comes again at sign-in', async () => {
    const { ada, bob, group_id } = await pair({ bob: nothing });
    const delivery = await receiveMessage(bob, await sendMessage(ada, group_id, 'not taken'));
    const [group] = bob.client.received('GROUP_DELIVER_REQUEST');
    const before = await Promise.all(
      ['message', 'group', 'unknown'].map((what) => fixture.counted(refused, { delivery: what })),
    );
    const errors = ['database is locked'];
    bob.client.send('MESSAGING_DELIVER_FAILURE', { errors }, delivery.id);
    bob.client.send('GROUP_DELIVER_FAILURE', { errors }, group?.id);
    bob.client.send('MESSAGING_DELIVER_FAILURE', { errors }, 'an id of the client’s own');
    await bob.client.roundTrip();
    const after = await Promise.all(
      ['message', 'group', 'unknown'].map((what) => fixture.counted(refused, { delivery: what })),
    );
    expect(after).toEqual(before.map((count) => count + 1));
    expect(await undelivered(bob.sid, ada, group_id)).toEqual(['not taken']);
    const [cursor] = await fixture.rows<{ seq: number; version: number }>(
      `SELECT m.delivered_seq AS seq, m.delivered_version AS version FROM group_member m
       JOIN "user" u ON u.id = m.user_id WHERE m.group_id = $1 AND u.sid = $2`,
      [group_id, bob.sid],
    );
    expect(cursor).toEqual({ seq: 0, version: 0 });
  });

  test('has an id that names what it delivered, the same when it is repeated', async () => {
    const { ada, bob, group_id } = await pair({ bob: nothing });
    const message_id = await sendMessage(ada, group_id, 'x');
    const message = await receiveMessage(bob, message_id);
    const [group] = bob.client.received('GROUP_DELIVER_REQUEST');
    expect(parseDeliveryId(message.id)).toEqual({
      kind: 'message',
      groupId: group_id,
      messageId: message_id,
    });
    expect(parseDeliveryId(group?.id ?? '')).toEqual({ kind: 'group', groupId: group_id, version: 1 });
    const returned = await fixture.returning(bob.sid, 0, nothing);
    expect((await state(returned, group_id)).id).toBe(group?.id);
    expect((await receiveMessage(returned, message_id)).id).toBe(message.id);
  });
});

describe('a new connection of a user who is already connected', () => {
  test.each([
    ['the same gateway', 1],
    ['another gateway', 0],
  ])(
    'on %s gets what is sent after its sign-in, though the other connection acknowledges it at once',
    async (_name, gateway) => {
      const ada = await fixture.enter(0);
      const bob = await fixture.enter(1);
      const group_id = await createGroup(ada, [bob.sid]);
      await state(bob, group_id);
      for (const round of Array.from({ length: 25 }, (_, index) => index)) {
        const newcomer = await fixture.returning(bob.sid, gateway);
        await receiveMessage(bob, await sendMessage(ada, group_id, `a${round}`));
        await receiveMessage(newcomer, await sendMessage(ada, group_id, `b${round}`));
        expect(contents(newcomer, group_id).slice(-2)).toEqual([`a${round}`, `b${round}`]);
        await newcomer.client.close();
      }
    },
  );
});

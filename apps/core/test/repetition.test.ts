import { randomUUID } from 'node:crypto';
import { uniqueSid } from '@hooligram/testkit';
import { describe, expect, test } from '@jest/globals';
import {
  contents,
  createGroup,
  errorsOf,
  receiveMessage,
  type SignedInClient,
  sendMessage,
  startFixture,
  state,
  statesOf,
} from './fixture.ts';

// Nothing comes twice because a busy machine acknowledged it late.
const fixture = startFixture({ gateways: 2, cores: 2, env: { DELIVERY_ACK_DEADLINE_MS: '600000' } });

const alreadyUsed = ['id was already used'];

/** Two users on two gateways, and a group of theirs that both have received. */
async function pair(): Promise<{ ada: SignedInClient; bob: SignedInClient; group_id: number }> {
  const [ada, bob] = [await fixture.enter(0), await fixture.enter(1)];
  const group_id = await createGroup(ada, [bob.sid]);
  for (const person of [ada, bob]) await state(person, group_id);
  return { ada, bob, group_id };
}

async function groupsOf(sid: string): Promise<number> {
  const [row] = await fixture.rows<{ groups: number }>(
    'SELECT count(*) AS groups FROM group_member m JOIN "user" u ON u.id = m.user_id WHERE u.sid = $1',
    [sid],
  );
  return row?.groups ?? 0;
}

/** Sends the same request on all these connections, often, without waiting. @returns all answers */
function storm(people: readonly SignedInClient[], type: string, payload: unknown, id: string) {
  return Promise.all(
    Array.from({ length: 5 }).flatMap(() => people.map(({ client }) => client.request(type, payload, id))),
  );
}

describe('a message sent again with its UUID', () => {
  test('on the same connection, another one, and another gateway gets the same answer and is stored once', async () => {
    const { ada, bob, group_id } = await pair();
    const id = randomUUID();
    const payload = { group_id, content: 'once' };
    const first = await ada.client.requestOk('MESSAGING_SEND', payload, id);
    const others = [ada, await fixture.returning(ada.sid, 0), await fixture.returning(ada.sid, 1)];
    for (const { client } of others)
      expect(await client.request('MESSAGING_SEND', payload, id)).toEqual(first);
    await receiveMessage(bob, await sendMessage(ada, group_id, 'fence'));
    expect(
      bob.client.received('MESSAGING_DELIVER_REQUEST').map(({ payload: { content } }) => content),
    ).toEqual(['once', 'fence']);
  });

  test('many times at once through two gateways and two cores is stored once', async () => {
    const { ada, bob, group_id } = await pair();
    const other = await fixture.returning(ada.sid, 1);
    for (let round = 0; round < 5; round += 1) {
      const id = randomUUID();
      const answers = await storm([ada, other], 'MESSAGING_SEND', { group_id, content: `${round}` }, id);
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]?.type).toBe('MESSAGING_SEND_SUCCESS');
    }
    await receiveMessage(bob, await sendMessage(ada, group_id, 'fence'));
    expect(contents(bob)).toEqual(['0', '1', '2', '3', '4', 'fence']);
  });

  test('in upper or lower case is the same message', async () => {
    const { ada, bob, group_id } = await pair();
    const id = randomUUID();
    const payload = { group_id, content: 'once' };
    const lower = await ada.client.requestOk('MESSAGING_SEND', payload, id);
    const upper = await ada.client.requestOk('MESSAGING_SEND', payload, id.toUpperCase());
    expect(upper.payload).toEqual(lower.payload);
    expect(upper.id).toBe(id.toUpperCase());
    await receiveMessage(bob, await sendMessage(ada, group_id, 'fence'));
    expect(contents(bob)).toEqual(['once', 'fence']);
  });

  test('after leaving gets the same answer, and the others receive nothing again', async () => {
    const { ada, bob } = await pair();
    const group_id = await createGroup(ada, [bob.sid, uniqueSid()]);
    const id = randomUUID();
    const payload = { group_id, content: 'once' };
    const first = await ada.client.requestOk('MESSAGING_SEND', payload, id);
    await ada.client.requestOk('GROUP_LEAVE', { group_id });
    expect(await ada.client.request('MESSAGING_SEND', payload, id)).toEqual(first);
    expect(await errorsOf(ada, 'MESSAGING_SEND', payload, randomUUID())).toEqual([
      'not a member of the group',
    ]);
    await receiveMessage(bob, await sendMessage(bob, group_id, 'fence'));
    expect(contents(bob, group_id)).toEqual(['once', 'fence']);
    expect(bob.client.received('MESSAGING_DELIVER_REQUEST')).toHaveLength(2);
  });

  test('after the group was closed gets the same answer, whichever member closed it', async () => {
    const { ada, bob, group_id } = await pair();
    const [a, b] = [randomUUID(), randomUUID()];
    const payload = { group_id, content: 'once' };
    const first = await ada.client.requestOk('MESSAGING_SEND', payload, a);
    const second = await bob.client.requestOk('MESSAGING_SEND', payload, b);
    await ada.client.requestOk('GROUP_LEAVE', { group_id });
    expect(await ada.client.request('MESSAGING_SEND', payload, a)).toEqual(first);
    expect(await bob.client.request('MESSAGING_SEND', payload, b)).toEqual(second);
    expect(await errorsOf(bob, 'MESSAGING_SEND', payload, randomUUID())).toEqual(['group is closed']);
  });

  test('with another content or another group fails, and stores nothing', async () => {
    const { ada, bob, group_id } = await pair();
    const other = await createGroup(ada, [bob.sid, uniqueSid()]);
    const id = randomUUID();
    await ada.client.requestOk('MESSAGING_SEND', { group_id, content: 'once' }, id);
    for (const payload of [
      { group_id, content: 'twice' },
      { group_id, content: 'once ' },
      { group_id: other, content: 'once' },
      { group_id: Number.MAX_SAFE_INTEGER, content: 'once' },
    ]) {
      expect(await errorsOf(ada, 'MESSAGING_SEND', payload, id)).toEqual(alreadyUsed);
    }
    for (const group of [group_id, other]) await receiveMessage(bob, await sendMessage(ada, group, 'fence'));
    expect(contents(bob)).toEqual(['once', 'fence', 'fence']);
  });

  test('with another content at the same moment is stored with one of the two', async () => {
    const { ada, bob, group_id } = await pair();
    const other = await fixture.returning(ada.sid, 1);
    for (let round = 0; round < 5; round += 1) {
      const id = randomUUID();
      const answers = await Promise.all(
        [ada, other].map(({ client }, index) =>
          client.request('MESSAGING_SEND', { group_id, content: `${round} ${index}` }, id),
        ),
      );
      const [failed, ...rest] = answers.filter(({ type }) => type === 'MESSAGING_SEND_FAILURE');
      expect([failed?.payload.errors, rest]).toEqual([alreadyUsed, []]);
    }
    await receiveMessage(bob, await sendMessage(ada, group_id, 'fence'));
    expect(contents(bob)).toHaveLength(6);
  });

  test('by another user is another message', async () => {
    const { ada, bob, group_id } = await pair();
    const id = randomUUID();
    const payload = { group_id, content: 'same' };
    const one = await ada.client.requestOk('MESSAGING_SEND', payload, id);
    const two = await bob.client.requestOk('MESSAGING_SEND', payload, id);
    expect(two.payload.message_id).not.toBe(one.payload.message_id);
    await receiveMessage(ada, two.payload.message_id as number);
    expect(contents(ada)).toEqual(['same', 'same']);
  });

  test('that was pipelined twice on one connection is stored once, in its place', async () => {
    const { ada, bob, group_id } = await pair();
    const id = randomUUID();
    for (const [content, sentAs] of [
      ['a', id],
      ['b', undefined],
      ['a', id],
      ['c', undefined],
    ] as const) {
      ada.client.send('MESSAGING_SEND_REQUEST', { group_id, content }, sentAs);
    }
    await bob.client.waitFor(() => contents(bob).includes('c'));
    expect(contents(bob)).toEqual(['a', 'b', 'c']);
    const answers = await ada.client.waitFor((frames) => {
      const found = frames.filter((frame) => frame.id === id);
      return found.length === 2 && found;
    });
    expect(answers[0]).toEqual(answers[1]);
  });
});

describe('a group created again with its UUID', () => {
  test('on the same connection, another one, and another gateway is the same group', async () => {
    const ada = await fixture.enter(0);
    const id = randomUUID();
    const payload = { group_name: 'hikes', member_sids: [ada.sid, uniqueSid(), uniqueSid()] };
    const first = await ada.client.requestOk('GROUP_CREATE', payload, id);
    const others = [ada, await fixture.returning(ada.sid, 0), await fixture.returning(ada.sid, 1)];
    for (const { client } of others) expect(await client.request('GROUP_CREATE', payload, id)).toEqual(first);
    const same = await ada.client.requestOk('GROUP_CREATE', payload, id.toUpperCase());
    expect(same.payload).toEqual(first.payload);
    expect(await groupsOf(ada.sid)).toBe(1);
  });

  test('many times at once through two gateways and two cores is created once', async () => {
    const ada = await fixture.enter(0);
    const other = await fixture.returning(ada.sid, 1);
    for (let round = 1; round <= 5; round += 1) {
      const payload = { group_name: 'hikes', member_sids: [ada.sid, uniqueSid(), uniqueSid()] };
      const answers = await storm([ada, other], 'GROUP_CREATE', payload, randomUUID());
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]?.type).toBe('GROUP_CREATE_SUCCESS');
      expect(await groupsOf(ada.sid)).toBe(round);
    }
  });

  test('without a UUID is another group', async () => {
    const ada = await fixture.enter(0);
    const payload = { group_name: 'hikes', member_sids: [ada.sid, uniqueSid(), uniqueSid()] };
    const ids = [];
    for (const id of ['1', '1', `${randomUUID()}0`]) {
      ids.push((await ada.client.requestOk('GROUP_CREATE', payload, id)).payload.group_id);
    }
    expect(new Set(ids).size).toBe(3);
  });

  test('after it was left and closed gets the same answer, and adds no member again', async () => {
    const { ada, bob } = await pair();
    const id = randomUUID();
    const payload = { group_name: 'hikes', member_sids: [ada.sid, bob.sid, uniqueSid()] };
    const first = await ada.client.requestOk('GROUP_CREATE', payload, id);
    const group_id = first.payload.group_id as number;
    for (const person of [ada, bob]) await state(person, group_id);
    for (const { client } of [ada, bob]) await client.requestOk('GROUP_LEAVE', { group_id });
    expect(await ada.client.request('GROUP_CREATE', payload, id)).toEqual(first);
    expect(await errorsOf(ada, 'MESSAGING_SEND', { group_id, content: 'x' })).toEqual([
      'not a member of the group',
    ]);
    const fence = await createGroup(ada, [bob.sid, uniqueSid()]);
    const message = await sendMessage(ada, fence, 'fence');
    await Promise.all([ada, bob].map((person) => receiveMessage(person, message)));
    // The member who left first received the group once, and no later state.
    expect(statesOf(ada, group_id)).toHaveLength(1);
  });

  test('after the direct message was closed gets the closed one’s id; a new UUID makes a new one', async () => {
    const [ada, bob] = [await fixture.enter(0), await fixture.enter(1)];
    const id = randomUUID();
    const payload = { group_name: '', member_sids: [ada.sid, bob.sid] };
    const first = await ada.client.requestOk('GROUP_CREATE', payload, id);
    await bob.client.requestOk('GROUP_LEAVE', { group_id: first.payload.group_id });
    expect(await ada.client.request('GROUP_CREATE', payload, id)).toEqual(first);
    const next = await ada.client.requestOk('GROUP_CREATE', payload, randomUUID());
    expect(next.payload.group_id).not.toBe(first.payload.group_id);
  });

  test('with another name or other members fails, and creates nothing', async () => {
    const ada = await fixture.enter(0);
    const [bob, eve] = [uniqueSid(), uniqueSid()];
    const id = randomUUID();
    const payload = { group_name: 'hikes', member_sids: [ada.sid, bob, eve] };
    await ada.client.requestOk('GROUP_CREATE', payload, id);
    for (const other of [
      { ...payload, group_name: 'Hikes' },
      { ...payload, member_sids: [ada.sid, bob] },
      { ...payload, member_sids: [ada.sid, bob, eve, uniqueSid()] },
    ]) {
      expect(await errorsOf(ada, 'GROUP_CREATE', other, id)).toEqual(alreadyUsed);
    }
    expect(await groupsOf(ada.sid)).toBe(1);
    expect(await groupsOf(bob)).toBe(1);
  });

  test('by another user is another group', async () => {
    const { ada, bob } = await pair();
    const id = randomUUID();
    const payload = { group_name: 'hikes', member_sids: [ada.sid, bob.sid, uniqueSid()] };
    const one = await ada.client.requestOk('GROUP_CREATE', payload, id);
    const two = await bob.client.requestOk('GROUP_CREATE', payload, id);
    expect(two.payload.group_id).not.toBe(one.payload.group_id);
  });
});

describe('a UUID', () => {
  test('that named a message cannot name a group, nor the other way round', async () => {
    const { ada, bob, group_id } = await pair();
    const [first, second] = [randomUUID(), randomUUID()];
    const create = { group_name: 'hikes', member_sids: [ada.sid, bob.sid, uniqueSid()] };
    const send = { group_id, content: 'x' };
    await ada.client.requestOk('MESSAGING_SEND', send, first);
    expect(await errorsOf(ada, 'GROUP_CREATE', create, first)).toEqual(alreadyUsed);
    await ada.client.requestOk('GROUP_CREATE', create, second);
    expect(await errorsOf(ada, 'MESSAGING_SEND', send, second)).toEqual(alreadyUsed);
  });

  test('of a request with a fault in its payload can be used for the repaired one', async () => {
    const { ada, group_id } = await pair();
    const id = randomUUID();
    expect(await errorsOf(ada, 'MESSAGING_SEND', { group_id, content: '' }, id)).toEqual([
      'payload.content: must not be empty',
    ]);
    await ada.client.requestOk('MESSAGING_SEND', { group_id, content: 'x' }, id);
  });
});

describe('an id that is no UUID', () => {
  test('only pairs answers: the same one on two connections, or twice on one, is different messages', async () => {
    const { ada, bob, group_id } = await pair();
    const ada2 = await fixture.returning(ada.sid, 1);
    const payload = { group_id, content: 'same' };
    const ids = [];
    for (const { client } of [ada, ada2, ada]) {
      ids.push((await client.requestOk('MESSAGING_SEND', payload, '1')).payload.message_id);
    }
    expect(new Set(ids).size).toBe(3);
    await receiveMessage(bob, ids[2] as number);
    expect(contents(bob)).toEqual(['same', 'same', 'same']);
  });

  test.each([
    ['one character', 'x'],
    ['128 characters', 'x'.repeat(128)],
    ['128 emoji', '🥾'.repeat(128)],
    ['a UUID without hyphens', '5f0c3a5254a14a558d0e6f3a3f0b7f11'],
    ['a UUID in braces', '{5f0c3a52-54a1-4a55-8d0e-6f3a3f0b7f11}'],
    ['a delivery’s id', 'm.1.1'],
  ])('may be %s, and comes back with the answer', async (_what, id) => {
    const { ada, group_id } = await pair();
    const first = await ada.client.requestOk('MESSAGING_SEND', { group_id, content: 'x' }, id);
    const second = await ada.client.requestOk('MESSAGING_SEND', { group_id, content: 'x' }, id);
    expect([first.id, second.id]).toEqual([id, id]);
    expect(second.payload.message_id).not.toBe(first.payload.message_id);
  });
});

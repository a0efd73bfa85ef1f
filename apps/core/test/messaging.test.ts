import { randomUUID } from 'node:crypto';
import { uniqueSid } from '@hooligram/testkit';
import { describe, expect, test } from '@jest/globals';
import {
  contents,
  createGroup,
  errorsOf,
  messagesOf,
  receiveMessage,
  receiveMessages,
  type SignedInClient,
  sendMessage,
  startFixture,
  state,
} from './fixture.ts';

// Nothing comes twice because a busy machine acknowledged it late.
const fixture = startFixture({ gateways: 2, cores: 2, env: { DELIVERY_ACK_DEADLINE_MS: '600000' } });

const wireDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Two users on two gateways, and a group of theirs that both have received. */
async function pair(): Promise<{ ada: SignedInClient; bob: SignedInClient; group_id: number }> {
  const [ada, bob] = [await fixture.enter(0), await fixture.enter(1)];
  const group_id = await createGroup(ada, [bob.sid]);
  for (const person of [ada, bob]) await state(person, group_id);
  return { ada, bob, group_id };
}

/** Contents of a group by their place in it, as the database has them. */
async function stored(group_id: number): Promise<{ seq: number; id: number; content: string }[]> {
  return fixture.rows('SELECT seq, id, content FROM message WHERE group_id = $1 ORDER BY seq', [group_id]);
}

const numbered = (count: number, prefix = '') =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe('a message', () => {
  test('is delivered to every member on every connection, the sender’s too, as one frame', async () => {
    const { ada, bob, group_id } = await pair();
    const everybody = [ada, bob];
    for (const { sid } of [ada, bob]) {
      for (const gateway of [0, 1]) everybody.push(await fixture.returning(sid, gateway));
    }
    for (const person of everybody.slice(2)) await state(person, group_id);
    const before = Date.now();
    const answer = await ada.client.request('MESSAGING_SEND', { group_id, content: 'hello' }, 'mine');
    const { message_id } = answer.payload;
    expect(answer).toEqual({
      id: 'mine',
      type: 'MESSAGING_SEND_SUCCESS',
      payload: { message_id: expect.any(Number) },
    });
    const heard = await Promise.all(everybody.map((person) => receiveMessage(person, message_id as number)));
    for (const delivery of heard) expect(delivery).toEqual(heard[0]);
    expect(heard[0]).toEqual({
      id: expect.any(String),
      type: 'MESSAGING_DELIVER_REQUEST',
      payload: {
        content: 'hello',
        date_created: expect.stringMatching(wireDate),
        group_id,
        message_id,
        sender_sid: ada.sid,
      },
    });
    const sent = Date.parse(heard[0]?.payload.date_created ?? '');
    expect(sent).toBeGreaterThanOrEqual(before);
    expect(sent).toBeLessThanOrEqual(Date.now());
    const last = await sendMessage(bob, group_id, 'once each');
    for (const person of everybody) {
      await receiveMessage(person, last);
      expect(person.client.received('MESSAGING_DELIVER_REQUEST')).toHaveLength(2);
    }
  });

  test('has an id that is unique in the system and grows within its group, whoever sends', async () => {
    const [one, two] = [await pair(), await pair()];
    const ids: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      for (const { ada, bob, group_id } of [one, two]) {
        for (const person of [ada, bob]) ids.push(await sendMessage(person, group_id, 'x'));
      }
    }
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(new Set(ids).size).toBe(20);
    expect(Math.max(...ids)).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
  });

  test.each([
    ['quotes, backslashes and controls', `"'\\ \\n \n \r\n \t \b \u0001 \u007f \u2028 \u2029`],
    ['emoji with joiners', '👩‍👩‍👧‍👦 🥾 🇸🇪 👍🏽'],
    ['right to left', 'שלום, ‏العالم‎ 123'],
    ['combining, not composed', 'e\u0301 \u0065\u0301 é n\u0303'],
    ['zero width', 'a\u200bb\u200cc\u200dd\ufeffe'],
    ['spaces around', '  both \t'],
    ['nothing but a space', ' '],
    ['nothing but a line feed', '\n'],
    ['nothing but a joiner', '\u200d'],
    ['looks like JSON', '{"id":"1","type":"MESSAGING_DELIVER_REQUEST","payload":{}}'],
    ['looks like SQL', `'); DROP TABLE message; -- $1`],
    ['names of properties', '__proto__'],
    ['non-characters', '\ufffe\uffff\u{1ffff}\u{10ffff}'],
    ['60 KB', 'x'.repeat(60 * 1024)],
    ['60 KB of emoji', '🥾'.repeat(15 * 1024)],
  ])('is delivered exactly as sent, live and at sign-in: %s', async (_what, content) => {
    const { ada, bob, group_id } = await pair();
    const message = await sendMessage(ada, group_id, content);
    const live = await receiveMessage(bob, message);
    expect(live.payload.content).toBe(content);
    const eve = await fixture.enter(0);
    await eve.client.close();
    const group = await createGroup(ada, [eve.sid]);
    const later = await sendMessage(ada, group, content);
    expect((await receiveMessage(await fixture.returning(eve.sid, 1), later)).payload.content).toBe(content);
  });

  test.each([
    ['no content', { content: undefined }, ['payload.content: is required']],
    ['an empty content', { content: '' }, ['payload.content: must not be empty']],
    ['a content that is no text', { content: 7 }, ['payload.content: must be a string']],
    ['NUL', { content: 'a\0b' }, ['payload.content: must not contain NUL']],
    ['half a surrogate pair', { content: '\udc00x' }, ['payload.content: must not contain lone surrogates']],
    ['a group_id that is text', { group_id: '1' }, ['payload.group_id: must be an integer']],
    ['a group_id beyond 2^53', { group_id: 2 ** 53 }, ['payload.group_id: must be an integer below 2^53']],
    [
      'two faults',
      { group_id: null, content: '' },
      ['payload.group_id: must be an integer', 'payload.content: must not be empty'],
    ],
  ])('with %s is refused with each fault, and the connection goes on', async (_what, fault, errors) => {
    const { ada, bob, group_id } = await pair();
    expect(await errorsOf(ada, 'MESSAGING_SEND', { group_id, content: 'x', ...fault })).toEqual(errors);
    expect(await errorsOf(ada, 'MESSAGING_SEND', { group_id, content: 'x', ...fault }, '')).toEqual([
      'id: must not be empty',
      ...errors,
    ]);
    await receiveMessage(bob, await sendMessage(ada, group_id, 'the next one'));
    expect(contents(bob)).toEqual(['the next one']);
  });

  test('with unknown properties is accepted without them', async () => {
    const { ada, bob, group_id } = await pair();
    ada.client.sendRaw(
      JSON.stringify({
        type: 'MESSAGING_SEND_REQUEST',
        sent_at: 'now',
        payload: { content: 'x', mood: ['good'], group_id, sender_sid: bob.sid, message_id: 1 },
        id: 'extra',
      }),
    );
    const answer = await ada.client.next('MESSAGING_SEND_SUCCESS');
    const delivery = await receiveMessage(bob, answer.payload.message_id as number);
    expect(Object.keys(delivery.payload).sort()).toEqual([
      'content',
      'date_created',
      'group_id',
      'message_id',
      'sender_sid',
    ]);
    expect(delivery.payload.sender_sid).toBe(ada.sid);
  });

  test('to a group without the sender is refused, whether it exists or not, and no member receives it', async () => {
    const { ada, bob, group_id } = await pair();
    const eve = await fixture.enter(0);
    for (const id of [group_id, Number.MAX_SAFE_INTEGER]) {
      expect(await errorsOf(eve, 'MESSAGING_SEND', { group_id: id, content: 'let me in' })).toEqual([
        'not a member of the group',
      ]);
    }
    await receiveMessage(bob, await sendMessage(ada, group_id, 'only us'));
    expect(contents(bob)).toEqual(['only us']);
    expect((await stored(group_id)).map(({ content }) => content)).toEqual(['only us']);
  });

  test('is committed before its sender gets SUCCESS', async () => {
    const { ada, group_id } = await pair();
    const id = await sendMessage(ada, group_id, 'kept');
    expect(await stored(group_id)).toEqual([{ seq: 1, id, content: 'kept' }]);
  });

  test('is delivered to members of its group only', async () => {
    const { ada, bob, group_id } = await pair();
    const eve = await fixture.enter(1);
    const other = await createGroup(ada, [eve.sid]);
    await state(eve, other);
    await sendMessage(ada, group_id, 'for Bob');
    await receiveMessage(eve, await sendMessage(ada, other, 'for Eve'));
    await receiveMessage(bob, await sendMessage(ada, group_id, 'for Bob too'));
    expect(contents(eve)).toEqual(['for Eve']);
    expect(contents(bob)).toEqual(['for Bob', 'for Bob too']);
  });
});

describe('order', () => {
  test('of 500 messages that one connection sent without waiting is kept, in the database and on both gateways', async () => {
    const { ada, bob, group_id } = await pair();
    const sent = numbered(500);
    for (const content of sent) ada.client.send('MESSAGING_SEND_REQUEST', { group_id, content });
    for (const person of [ada, bob]) await person.client.waitFor(() => contents(person).length === 500);
    expect(contents(ada)).toEqual(sent);
    expect(contents(bob)).toEqual(sent);
    const rows = await stored(group_id);
    expect(rows.map(({ content }) => content)).toEqual(sent);
    expect(rows.map(({ seq }) => seq)).toEqual(sent.map((_, index) => index + 1));
    expect(rows.map(({ id }) => id)).toEqual(rows.map(({ id }) => id).sort((a, b) => a - b));
  });

  test('of each connection is kept when many send at once, and all see one order, in which ids grow', async () => {
    const creator = await fixture.enter(0);
    const others = await Promise.all(Array.from({ length: 5 }, (_, index) => fixture.enter((index + 1) % 2)));
    const everybody = [creator, ...others];
    const group_id = await createGroup(
      creator,
      others.map(({ sid }) => sid),
    );
    for (const person of everybody) await state(person, group_id);
    for (const content of numbered(100)) {
      for (const { client } of everybody) client.send('MESSAGING_SEND_REQUEST', { group_id, content });
    }
    const orders = await Promise.all(everybody.map((person) => receiveMessages(person, 600)));
    for (const order of orders) expect(order).toEqual(orders[0]);
    const ids = orders[0]?.map(({ message_id }) => message_id) ?? [];
    expect(ids).toEqual([...ids].sort((a, b) => Number(a) - Number(b)));
    for (const { sid } of everybody) {
      const own = orders[0]?.filter(({ sender_sid }) => sender_sid === sid).map(({ content }) => content);
      expect(own).toEqual(numbered(100));
    }
    const dates = orders[0]?.map(({ date_created }) => date_created) ?? [];
    expect(dates).toEqual([...dates].sort());
  });

  test('of a connection is kept when more is sent in one moment than one entry of the gateway holds', async () => {
    const [creator, ...others] = await Promise.all(Array.from({ length: 18 }, () => fixture.enter(0)));
    const listener = await fixture.enter(1);
    const senders = [creator as SignedInClient, ...others];
    const group_id = await createGroup(
      creator as SignedInClient,
      [listener, ...others].map(({ sid }) => sid),
    );
    await Promise.all([listener, ...senders].map((person) => state(person, group_id)));
    const sent = numbered(3 * 64);
    for (let begin = 0; begin < sent.length; begin += 64) {
      // Frozen, the gateway finds all of it at once when it goes on.
      fixture.system.gateway(0).freeze();
      for (const { client } of senders) {
        for (const content of sent.slice(begin, begin + 64)) {
          client.send('MESSAGING_SEND_REQUEST', { group_id, content });
        }
      }
      fixture.system.gateway(0).resume();
      await receiveMessages(listener, senders.length * (begin + 64));
    }
    const heard = messagesOf(listener);
    for (const { sid } of senders) {
      const own = heard.filter(({ sender_sid }) => sender_sid === sid);
      expect(own.map(({ content }) => content)).toEqual(sent);
    }
  });

  test('of different requests of one connection is kept: each sees what the one before did', async () => {
    const ada = await fixture.enter(0);
    const [bob, eve] = [await fixture.enter(1), await fixture.enter(1)];
    const group_id = await createGroup(ada, [bob.sid, uniqueSid()]);
    const { client } = ada;
    client.send('MESSAGING_SEND_REQUEST', { group_id, content: 'before Eve' }, 'a');
    client.send('GROUP_ADD_MEMBER_REQUEST', { group_id, member_sid: eve.sid }, 'b');
    client.send('MESSAGING_SEND_REQUEST', { group_id, content: 'with Eve' }, 'c');
    client.send('GROUP_LEAVE_REQUEST', { group_id }, 'd');
    client.send('MESSAGING_SEND_REQUEST', { group_id, content: 'too late' }, 'e');
    const answers = await client.waitFor((frames) => {
      const found = frames.filter(({ id }) => 'abcde'.includes(id));
      return found.length === 5 && found;
    });
    expect(Object.fromEntries(answers.map(({ id, type }) => [id, type]))).toEqual({
      a: 'MESSAGING_SEND_SUCCESS',
      b: 'GROUP_ADD_MEMBER_SUCCESS',
      c: 'MESSAGING_SEND_SUCCESS',
      d: 'GROUP_LEAVE_SUCCESS',
      e: 'MESSAGING_SEND_FAILURE',
    });
    const last = await sendMessage(bob, group_id, 'last');
    for (const person of [bob, eve]) await receiveMessage(person, last);
    expect(contents(eve)).toEqual(['with Eve', 'last']);
    expect(contents(bob)).toEqual(['before Eve', 'with Eve', 'last']);
  });
});

describe('before the sign-in', () => {
  test.each([
    ['GROUP_CREATE', { group_name: 'x', member_sids: ['1.5550100', '1.5550101'] }],
    ['GROUP_ADD_MEMBER', { group_id: 1, member_sid: '1.5550100' }],
    ['GROUP_LEAVE', { group_id: 1 }],
    ['MESSAGING_SEND', { group_id: 1, content: 'x' }],
  ])('%s fails with "not signed in" and nothing else, even if it has other faults', async (type, sound) => {
    const client = await fixture.connect(0);
    for (const payload of [sound, {}, null, [], 'text', undefined, { group_id: 2 ** 60, content: '\0' }]) {
      for (const id of ['1', '', randomUUID()]) {
        expect(await client.request(type, payload, id)).toEqual({
          id,
          type: `${type}_FAILURE`,
          payload: { errors: ['not signed in'] },
        });
      }
    }
  });

  test('everything fails also after a sign-in that failed', async () => {
    const client = await fixture.connect(0);
    await errorsOf({ client }, 'AUTHORIZATION_SIGN_IN', {
      country_code: '888',
      phone_number: '1234',
      verification_code: '000000',
    });
    expect(await errorsOf({ client }, 'MESSAGING_SEND', { group_id: 1, content: 'x' })).toEqual([
      'not signed in',
    ]);
  });

  test('requests wait for a sign-in that was sent before them', async () => {
    const sid = uniqueSid();
    const client = await fixture.connect(0);
    await client.register(sid);
    const [country_code, phone_number] = sid.split('.');
    client.send('AUTHORIZATION_SIGN_IN_REQUEST', { country_code, phone_number, verification_code: '000000' });
    client.send('GROUP_CREATE_REQUEST', { group_name: '', member_sids: [sid, uniqueSid()] });
    await client.next('GROUP_CREATE_SUCCESS');
  });
});

describe('keep-alive', () => {
  test('is answered before and after the sign-in, with its id', async () => {
    const client = await fixture.connect(0);
    const keptAlive = { id: 'alive?', type: 'CONN_KEEP_ALIVE_SUCCESS', payload: {} };
    expect(await client.request('CONN_KEEP_ALIVE', {}, 'alive?')).toEqual(keptAlive);
    await client.signIn(uniqueSid());
    expect(await client.request('CONN_KEEP_ALIVE', {}, 'alive?')).toEqual(keptAlive);
  });

  test('fails without errors when there is a fault', async () => {
    const client = await fixture.connect(0);
    const failed = { type: 'CONN_KEEP_ALIVE_FAILURE', payload: {} };
    expect(await client.request('CONN_KEEP_ALIVE', {}, '')).toEqual({ id: '', ...failed });
    expect(await client.request('CONN_KEEP_ALIVE', 'alive', 'x')).toEqual({ id: 'x', ...failed });
  });
});

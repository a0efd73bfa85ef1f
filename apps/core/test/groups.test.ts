import { uniqueSid } from '@hooligram/testkit';
import { describe, expect, test } from '@jest/globals';
import {
  contents,
  createGroup,
  errorsOf,
  messagesOnly,
  nothing,
  receiveMessage,
  type SignedInClient,
  sendMessage,
  sendTo,
  startFixture,
  state,
  stateOf,
  statesOf,
} from './fixture.ts';

// Nothing comes twice because a busy machine acknowledged it late.
const fixture = startFixture({ gateways: 2, cores: 2, env: { DELIVERY_ACK_DEADLINE_MS: '600000' } });

const tooFew = 'payload.member_sids: must name at least two people';
const creatorMissing = 'payload.member_sids: must name the creator';
const nameEmpty = 'payload.group_name: must not be empty except for a direct message';
const nameTooLong = 'payload.group_name: must be at most 100 characters';
const notAMember = ['not a member of the group'];

const wireDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Three users, the second and third on the other gateway. */
async function three(): Promise<[SignedInClient, SignedInClient, SignedInClient]> {
  return [await fixture.enter(0), await fixture.enter(1), await fixture.enter(1)];
}

/** The frames of a connection as the texts that came, from now on. */
function textsOf({ client }: SignedInClient): string[] {
  const texts: string[] = [];
  client.socket.on('message', (data) => texts.push(String(data)));
  return texts;
}

/** Sends a message in a group of its own: its delivery comes after everything that was sent before. */
async function fence(speaker: SignedInClient, listeners: readonly SignedInClient[]): Promise<void> {
  const group_id = await createGroup(speaker, [...listeners.map(({ sid }) => sid), uniqueSid()], 'fence');
  for (const listener of listeners) await state(listener, group_id);
  const last = await sendMessage(speaker, group_id, 'behind everything');
  for (const listener of listeners) await receiveMessage(listener, last);
}

describe('creating a group', () => {
  test('sends it to every member on every connection, the creator too, as one text', async () => {
    const [ada, bob, eve] = await three();
    const ada2 = await fixture.returning(ada.sid, 1);
    const everybody = [ada, ada2, bob, eve];
    const texts = everybody.map(textsOf);
    const before = Date.now();
    const group_id = await createGroup(ada, [bob.sid, eve.sid], 'Sunday hikes');
    const states = await Promise.all(everybody.map((person) => state(person, group_id)));
    expect(states[0]).toEqual({
      id: expect.any(String),
      type: 'GROUP_DELIVER_REQUEST',
      payload: {
        date_created: expect.stringMatching(wireDate),
        group_id,
        group_name: 'Sunday hikes',
        is_direct_message: false,
        member_sids: [ada.sid, bob.sid, eve.sid].sort(),
      },
    });
    const created = Date.parse(states[0]?.payload.date_created ?? '');
    expect(created).toBeGreaterThanOrEqual(before);
    expect(created).toBeLessThanOrEqual(Date.now());
    const deliveries = texts.map((list) => list.filter((text) => text.includes('GROUP_DELIVER_REQUEST')));
    expect(deliveries.map(({ length }) => length)).toEqual([1, 1, 1, 1]);
    expect(new Set(deliveries.flat()).size).toBe(1);
  });

  test('answers with the id of the group alone', async () => {
    const ada = await fixture.enter(0);
    const payload = { group_name: 'x', member_sids: [ada.sid, uniqueSid(), uniqueSid()] };
    expect(await ada.client.request('GROUP_CREATE', payload, 'any id')).toEqual({
      id: 'any id',
      type: 'GROUP_CREATE_SUCCESS',
      payload: { group_id: expect.any(Number) },
    });
  });

  test('needs two distinct members, the creator among them', async () => {
    const ada = await fixture.enter(0);
    const [bob, eve] = [uniqueSid(), uniqueSid()];
    const errors = (member_sids: readonly string[], group_name = 'x') =>
      errorsOf(ada, 'GROUP_CREATE', { group_name, member_sids });
    expect(await errors([])).toEqual([tooFew, creatorMissing]);
    expect(await errors([ada.sid])).toEqual([tooFew]);
    expect(await errors([ada.sid, ada.sid, ada.sid])).toEqual([tooFew]);
    expect(await errors([bob, bob])).toEqual([tooFew, creatorMissing]);
    expect(await errors([bob, eve])).toEqual([creatorMissing]);
    expect(await errors([ada.sid], '')).toEqual([tooFew, nameEmpty]);
  });

  test('names each faulty sid, and creates no user', async () => {
    const ada = await fixture.enter(0);
    const stranger = uniqueSid();
    const member_sids = [
      ada.sid,
      stranger,
      '+1.5550100',
      '15550100',
      '1.555',
      7,
      '1.5550100 ',
      '999.5550100',
    ];
    const asSid = 'must be a sid such as 1.5550100';
    expect(await errorsOf(ada, 'GROUP_CREATE', { group_name: 'x', member_sids })).toEqual(
      [2, 3, 4, 5, 6]
        .map((index) => `payload.member_sids[${index}]: ${asSid}`)
        .concat('payload.member_sids[7]: must begin with an assigned country code'),
    );
    const group_id = await createGroup(ada, [uniqueSid(), uniqueSid()]);
    expect(await errorsOf(ada, 'GROUP_ADD_MEMBER', { group_id, member_sid: stranger })).toEqual([
      'payload.member_sid: nobody has this sid',
    ]);
  });

  test.each([
    ['100 characters', 'x'.repeat(100)],
    ['100 emoji, each one character', '🥾'.repeat(100)],
    ['one space', ' '],
    ['spaces around', '  both  '],
    ['quotes, a backslash, a line feed', '"a" \\ \n \u0001 </script>'],
    ['right to left and combining', 'שלום e\u0301 \u200b\u200f'],
  ])('takes a name of %s and delivers it exactly', async (_what, group_name) => {
    const ada = await fixture.enter(0);
    const group_id = await createGroup(ada, [uniqueSid(), uniqueSid()], group_name);
    expect((await state(ada, group_id)).payload.group_name).toBe(group_name);
  });

  test.each([
    ['101 characters', 'x'.repeat(101), [nameTooLong]],
    ['101 emoji', '🥾'.repeat(101), [nameTooLong]],
    ['no character', '', [nameEmpty]],
    ['NUL', 'a\0b', ['payload.group_name: must not contain NUL']],
    ['half a surrogate pair', 'a\ud800', ['payload.group_name: must not contain lone surrogates']],
    ['no text', null, ['payload.group_name: must be a string']],
  ])('refuses a name of %s', async (_what, group_name, errors) => {
    const ada = await fixture.enter(0);
    const member_sids = [ada.sid, uniqueSid(), uniqueSid()];
    expect(await errorsOf(ada, 'GROUP_CREATE', { group_name, member_sids })).toEqual(errors);
  });

  test('with numbers that never signed up delivers it, and its messages, at their first sign-in', async () => {
    const ada = await fixture.enter(0);
    const newcomer = uniqueSid();
    const group_id = await createGroup(ada, [newcomer], '');
    const direct = await state(ada, group_id);
    await sendMessage(ada, group_id, 'Tell me when you are here!');
    const client = await fixture.connect(1);
    await client.register(newcomer);
    await client.authorize(newcomer);
    const person = { sid: newcomer, client };
    expect(await state(person, group_id)).toEqual(direct);
    await receiveMessage(person, await sendMessage(ada, group_id, 'There you are'));
    expect(contents(person)).toEqual(['Tell me when you are here!', 'There you are']);
  });

  test('lists its members by code unit, not as a language or a number would sort them', async () => {
    const ada = await fixture.enter(0);
    const digits = uniqueSid().slice(4);
    const sorted = [`1.10${digits}`, `1.9${digits}`, `211.${digits}`, `27.0${digits}`, ada.sid];
    const group_id = await createGroup(ada, [...sorted.slice(0, -1)].reverse());
    expect((await state(ada, group_id)).payload.member_sids).toEqual(sorted);
  });

  test('delivers a hundred members as it delivers two', async () => {
    const ada = await fixture.enter(0);
    const others = Array.from({ length: 100 }, uniqueSid);
    const group_id = await createGroup(ada, others);
    expect((await state(ada, group_id)).payload.member_sids).toEqual([ada.sid, ...others].sort());
  });
});

describe('a direct message', () => {
  test.each([
    ['two people', (ada: string, bob: string) => [ada, bob]],
    ['two people, one of them named twice', (ada: string, bob: string) => [bob, ada, bob]],
    ['two people, both named often', (ada: string, bob: string) => [ada, bob, ada, bob, ada]],
  ])('is what is created with %s; it may have a name or none', async (_what, named) => {
    for (const group_name of ['', 'us two']) {
      const ada = await fixture.enter(0);
      const bob = uniqueSid();
      const member_sids = named(ada.sid, bob);
      const created = await ada.client.requestOk('GROUP_CREATE', { group_name, member_sids });
      expect((await state(ada, created.payload.group_id as number)).payload).toMatchObject({
        group_name,
        is_direct_message: true,
        member_sids: [ada.sid, bob].sort(),
      });
    }
  });

  test('is there once for a pair: created again, by either of them, it is the same group', async () => {
    const [ada, bob] = [await fixture.enter(0), await fixture.enter(1)];
    const group_id = await createGroup(ada, [bob.sid], 'first');
    expect(await createGroup(ada, [bob.sid], 'first')).toBe(group_id);
    expect(await createGroup(ada, [ada.sid, bob.sid, bob.sid], 'second')).toBe(group_id);
    expect(await createGroup(bob, [ada.sid], '')).toBe(group_id);
    const again = await fixture.returning(bob.sid, 0);
    expect((await state(again, group_id)).payload.group_name).toBe('first');
    await fence(ada, [again]);
    expect(again.client.received('GROUP_DELIVER_REQUEST')).toHaveLength(2);
  });

  test('is there once for a pair also when both create it at once, on two gateways with two cores', async () => {
    const pairs = await Promise.all(
      Array.from({ length: 8 }, async () => [await fixture.enter(0), await fixture.enter(1)] as const),
    );
    const ids = await Promise.all(
      pairs.map(([a, b]) =>
        Promise.all([createGroup(a, [b.sid]), createGroup(b, [a.sid]), createGroup(a, [b.sid, b.sid])]),
      ),
    );
    for (const ofPair of ids) expect(new Set(ofPair).size).toBe(1);
    expect(new Set(ids.flat()).size).toBe(pairs.length);
    for (const [index, [a, b]] of pairs.entries()) {
      const group_id = ids[index]?.[0] as number;
      const message = await sendMessage(a, group_id, 'found');
      for (const person of [a, b])
        expect((await receiveMessage(person, message)).payload.group_id).toBe(group_id);
    }
  });

  test('accepts no third member', async () => {
    const [ada, bob, eve] = await three();
    const group_id = await createGroup(ada, [bob.sid]);
    await state(bob, group_id);
    expect(await errorsOf(bob, 'GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid })).toEqual([
      'a direct message takes no third member',
    ]);
    await fence(ada, [bob, eve]);
    expect(statesOf(bob, group_id)).toHaveLength(1);
    expect(statesOf(eve, group_id)).toHaveLength(0);
  });

  test('is not the same as a group of three that shrinks to two', async () => {
    const [ada, bob, eve] = await three();
    const group_id = await createGroup(ada, [bob.sid, eve.sid], 'three');
    await state(ada, group_id);
    await eve.client.requestOk('GROUP_LEAVE', { group_id });
    const shrunk = await stateOf(ada, group_id, [ada.sid, bob.sid]);
    expect(shrunk.payload.is_direct_message).toBe(false);
    const direct = await createGroup(ada, [bob.sid]);
    expect(direct).not.toBe(group_id);
    expect((await state(bob, direct)).payload.is_direct_message).toBe(true);
    await ada.client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid });
    expect((await stateOf(eve, group_id, [ada.sid, bob.sid, eve.sid])).payload.is_direct_message).toBe(false);
  });

  test('is a different one for each pair', async () => {
    const ada = await fixture.enter(0);
    const [bob, eve] = [uniqueSid(), uniqueSid()];
    const ids = [
      await createGroup(ada, [bob]),
      await createGroup(ada, [eve]),
      await createGroup(ada, [bob, eve]),
    ];
    expect(new Set(ids).size).toBe(3);
  });
});

describe('adding a member', () => {
  test('sends the new state to all members, the new one too, as one text with the old date', async () => {
    const [ada, bob, eve] = await three();
    const group_id = await createGroup(ada, [bob.sid, uniqueSid()], 'x');
    const before = await state(ada, group_id);
    await state(bob, group_id);
    const everybody = [ada, bob, eve];
    const texts = everybody.map(textsOf);
    expect(await bob.client.request('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid }, 'a')).toEqual({
      id: 'a',
      type: 'GROUP_ADD_MEMBER_SUCCESS',
      payload: {},
    });
    const [after] = await Promise.all(everybody.map((person) => state(person, group_id)));
    expect(after?.payload).toEqual({
      ...before.payload,
      member_sids: [...(before.payload.member_sids ?? []), eve.sid].sort(),
    });
    const deliveries = texts.map((list) => list.filter((text) => text.includes('GROUP_DELIVER_REQUEST')));
    expect(deliveries.map(({ length }) => length)).toEqual([1, 1, 1]);
    expect(new Set(deliveries.flat()).size).toBe(1);
    const returned = await fixture.returning(bob.sid, 0);
    const replayed = textsOf(returned);
    await returned.client.authorize(bob.sid);
    await fence(ada, [returned]);
    expect(replayed).toContain(deliveries[0]?.[0]);
  });

  test('delivers to the new member the messages from then on, and none before', async () => {
    const [ada, bob, eve] = await three();
    const group_id = await createGroup(ada, [bob.sid, uniqueSid()]);
    for (const content of ['one', 'two']) await sendMessage(ada, group_id, content);
    await ada.client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid });
    await sendMessage(ada, group_id, 'three');
    await receiveMessage(eve, await sendMessage(bob, group_id, 'four'));
    expect(contents(eve)).toEqual(['three', 'four']);
    const returned = await fixture.returning(eve.sid, 0);
    await sendTo(returned, ada, group_id, 'five');
    expect(contents(returned)).not.toContain('one');
    expect(contents(returned)).not.toContain('two');
  });

  test('delivers to a new member who was offline the messages since then at the next sign-in', async () => {
    const [ada, bob, eve] = await three();
    await eve.client.close();
    const group_id = await createGroup(ada, [bob.sid, uniqueSid()]);
    await sendMessage(ada, group_id, 'before');
    await ada.client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid });
    await sendMessage(ada, group_id, 'after');
    const returned = await fixture.returning(eve.sid, 0);
    await sendTo(returned, ada, group_id, 'now');
    expect(contents(returned)).toEqual(['after', 'now']);
  });

  test('lets the new member send messages at once', async () => {
    const [ada, bob, eve] = await three();
    const group_id = await createGroup(ada, [bob.sid, uniqueSid()]);
    await ada.client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid });
    const message = await sendMessage(eve, group_id, 'hello all');
    for (const person of [ada, bob, eve]) {
      expect((await receiveMessage(person, message)).payload.sender_sid).toBe(eve.sid);
    }
  });

  test('accepts a user who never signed up but is in another group already', async () => {
    const ada = await fixture.enter(0);
    const unverified = uniqueSid();
    await createGroup(ada, [unverified]);
    const group_id = await createGroup(ada, [uniqueSid(), uniqueSid()]);
    await ada.client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: unverified });
    await sendMessage(ada, group_id, 'welcome');
    const client = await fixture.connect(1);
    await client.signIn(unverified);
    await state({ sid: unverified, client }, group_id);
    await client.waitFor(() => contents({ sid: unverified, client }, group_id).includes('welcome'));
  });

  test('who is a member already succeeds and changes nothing, in a direct message too', async () => {
    const [ada, bob, eve] = await three();
    const group = await createGroup(ada, [bob.sid, eve.sid]);
    const direct = await createGroup(ada, [bob.sid]);
    for (const group_id of [group, direct]) {
      for (const person of [ada, bob]) await state(person, group_id);
      for (const member_sid of [ada.sid, bob.sid]) {
        await ada.client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid });
        await bob.client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid });
      }
    }
    await fence(ada, [ada, bob]);
    for (const group_id of [group, direct]) {
      for (const person of [ada, bob]) expect(statesOf(person, group_id)).toHaveLength(1);
    }
  });

  test('fails for a caller who is no member, whether the group exists or not', async () => {
    const [ada, bob, eve] = await three();
    const group_id = await createGroup(ada, [bob.sid, uniqueSid()]);
    await state(bob, group_id);
    const direct = await createGroup(ada, [bob.sid]);
    for (const id of [group_id, direct, Number.MAX_SAFE_INTEGER]) {
      for (const member_sid of [eve.sid, ada.sid, uniqueSid()]) {
        expect(await errorsOf(eve, 'GROUP_ADD_MEMBER', { group_id: id, member_sid })).toEqual(notAMember);
      }
    }
    await fence(ada, [bob]);
    expect(statesOf(bob, group_id)).toHaveLength(1);
  });

  test('fails for an unknown number, and does not create a user', async () => {
    const ada = await fixture.enter(0);
    const stranger = uniqueSid();
    const group_id = await createGroup(ada, [uniqueSid(), uniqueSid()]);
    for (let time = 0; time < 2; time += 1) {
      expect(await errorsOf(ada, 'GROUP_ADD_MEMBER', { group_id, member_sid: stranger })).toEqual([
        'payload.member_sid: nobody has this sid',
      ]);
    }
  });

  test('names every fault of its payload', async () => {
    const ada = await fixture.enter(0);
    expect(await errorsOf(ada, 'GROUP_ADD_MEMBER', { group_id: 1.5, member_sid: 'Bob' })).toEqual([
      'payload.group_id: must be an integer',
      'payload.member_sid: must be a sid such as 1.5550100',
    ]);
  });

  test('by several members at once ends with the same last state of all of them for every member', async () => {
    const ada = await fixture.enter(0);
    const bob = await fixture.enter(1);
    const group_id = await createGroup(ada, [bob.sid, uniqueSid()]);
    const first = (await state(ada, group_id)).payload.member_sids ?? [];
    const added = await Promise.all(Array.from({ length: 8 }, (_, index) => fixture.enter(index % 2)));
    await Promise.all(
      added.map(({ sid }, index) =>
        (index % 2 ? ada : bob).client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: sid }),
      ),
    );
    const all = [...first, ...added.map(({ sid }) => sid)].sort();
    const last = await Promise.all([ada, bob, ...added].map((person) => stateOf(person, group_id, all)));
    for (const delivered of last) expect(delivered).toEqual(last[0]);
  });
});

describe('leaving a group', () => {
  test('sends the new state to the remaining members, and nothing more to the one who left, on any connection', async () => {
    const [ada, bob, eve] = await three();
    const eve2 = await fixture.returning(eve.sid, 0);
    const group_id = await createGroup(ada, [bob.sid, eve.sid], 'x');
    for (const person of [ada, bob, eve, eve2]) await state(person, group_id);
    const leaving = [eve, eve2];
    expect(await eve.client.request('GROUP_LEAVE', { group_id }, 'bye')).toEqual({
      id: 'bye',
      type: 'GROUP_LEAVE_SUCCESS',
      payload: {},
    });
    const states = await Promise.all([ada, bob].map((person) => state(person, group_id)));
    expect(states[0]).toEqual(states[1]);
    expect(states[0]?.payload).toMatchObject({
      is_direct_message: false,
      member_sids: [ada.sid, bob.sid].sort(),
    });
    await receiveMessage(bob, await sendMessage(ada, group_id, 'without Eve'));
    await ada.client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: bob.sid });
    await fence(ada, leaving);
    for (const person of leaving) {
      expect(statesOf(person, group_id)).toHaveLength(1);
      expect(contents(person, group_id)).toEqual([]);
    }
  });

  test('ends the rights of the member who left, and leaves no trace at their next sign-in', async () => {
    const [ada, bob, eve] = await three();
    await eve.client.close();
    const group_id = await createGroup(ada, [bob.sid, eve.sid]);
    await sendMessage(ada, group_id, 'never read');
    const kept = await createGroup(ada, [eve.sid]);
    await sendMessage(ada, kept, 'read');
    const silent = await fixture.returning(eve.sid, 1, nothing);
    await silent.client.waitFor(() => contents(silent).length === 2);
    await silent.client.requestOk('GROUP_LEAVE', { group_id });
    expect(await errorsOf(silent, 'MESSAGING_SEND', { group_id, content: 'x' })).toEqual(notAMember);
    expect(await errorsOf(silent, 'GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid })).toEqual(notAMember);
    expect(await errorsOf(silent, 'GROUP_LEAVE', { group_id })).toEqual(notAMember);
    const returned = await fixture.returning(eve.sid, 0);
    await sendTo(returned, ada, kept, 'last');
    expect(contents(returned)).toEqual(['read', 'last']);
    expect(returned.client.received('GROUP_DELIVER_REQUEST').map(({ payload }) => payload.group_id)).toEqual([
      kept,
    ]);
  });

  test('and being added again delivers the messages from then on, and none that were missed', async () => {
    const [ada, bob, eve] = await three();
    const group_id = await createGroup(ada, [bob.sid, eve.sid]);
    await receiveMessage(eve, await sendMessage(ada, group_id, 'one'));
    await eve.client.requestOk('GROUP_LEAVE', { group_id });
    await sendMessage(ada, group_id, 'two');
    await bob.client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid });
    await receiveMessage(eve, await sendMessage(ada, group_id, 'three'));
    expect(contents(eve)).toEqual(['one', 'three']);
    expect((await stateOf(eve, group_id, [ada.sid, bob.sid, eve.sid])).payload.group_id).toBe(group_id);
  });

  test('fails for a caller who is no member, whether the group exists or not', async () => {
    const [ada, bob, eve] = await three();
    const group_id = await createGroup(ada, [bob.sid, uniqueSid()]);
    await state(bob, group_id);
    for (const id of [group_id, Number.MAX_SAFE_INTEGER]) {
      expect(await errorsOf(eve, 'GROUP_LEAVE', { group_id: id })).toEqual(notAMember);
    }
    await fence(ada, [bob]);
    expect(statesOf(bob, group_id)).toHaveLength(1);
  });

  test('twice at once, on two gateways, succeeds once', async () => {
    const [ada, bob, eve] = await three();
    const ada2 = await fixture.returning(ada.sid, 1);
    const group_id = await createGroup(ada, [bob.sid, eve.sid]);
    const answers = await Promise.all(
      [ada, ada2].map(({ client }) => client.request('GROUP_LEAVE', { group_id })),
    );
    expect(answers.map(({ type }) => type).sort()).toEqual(['GROUP_LEAVE_FAILURE', 'GROUP_LEAVE_SUCCESS']);
    expect((await stateOf(bob, group_id, [bob.sid, eve.sid])).payload.group_id).toBe(group_id);
  });

  test.each([
    [undefined, 'is required'],
    ['1', 'must be an integer'],
    [1.5, 'must be an integer'],
    [0, 'must be a positive integer'],
    [-1, 'must be a positive integer'],
    [2 ** 53, 'must be an integer below 2^53'],
  ])('of group_id %p fails because it %s', async (group_id, fault) => {
    const ada = await fixture.enter(0);
    expect(await errorsOf(ada, 'GROUP_LEAVE', { group_id })).toEqual([`payload.group_id: ${fault}`]);
  });
});

describe('a group at sign-in', () => {
  test('is sent whether it was acknowledged or not, with its constant date, and so are all others', async () => {
    const ada = await fixture.enter(0);
    const ids: number[] = [];
    for (const others of [1, 2, 3])
      ids.push(await createGroup(ada, Array.from({ length: others }, uniqueSid)));
    const live = await Promise.all(ids.map((group_id) => state(ada, group_id)));
    await ada.client.roundTrip();
    const mobile = await fixture.returning(ada.sid, 1, messagesOnly);
    const replayed = await Promise.all(ids.map((group_id) => state(mobile, group_id)));
    expect(replayed).toEqual(live);
  });
});

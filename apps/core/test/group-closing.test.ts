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

// What was acknowledged is written at once: the tests wait for it.
// Nothing comes twice because a busy machine acknowledged it late.
const fixture = startFixture({
  gateways: 2,
  cores: 2,
  env: { DELIVERY_ACK_DEADLINE_MS: '600000' },
  gatewayEnv: { CURSOR_FLUSH_MS: '10' },
});

const closed = ['group is closed'];
const notAMember = ['not a member of the group'];

/** Two users on two gateways with a direct message, and a group of theirs that stays open, both delivered. */
async function pair(options?: { readonly bob: Parameters<typeof fixture.enter>[1] }): Promise<{
  ada: SignedInClient;
  bob: SignedInClient;
  group_id: number;
  open: number;
}> {
  const [ada, bob] = [await fixture.enter(0), await fixture.enter(1, options?.bob)];
  const group_id = await createGroup(ada, [bob.sid]);
  const open = await createGroup(ada, [bob.sid, uniqueSid()], 'stays open');
  for (const person of [ada, bob]) for (const id of [group_id, open]) await state(person, id);
  return { ada, bob, group_id, open };
}

const leave = ({ client }: SignedInClient, group_id: number) => client.requestOk('GROUP_LEAVE', { group_id });

/** The groups that a connection received, without repetitions. */
const told = ({ client }: SignedInClient) => [
  ...new Set(client.received('GROUP_DELIVER_REQUEST').map(({ payload }) => payload.group_id)),
];

describe('a group left with one member', () => {
  test('is closed: the last member receives a state with one member, on every connection', async () => {
    const { ada, bob, group_id } = await pair();
    const bob2 = await fixture.returning(bob.sid, 0);
    const before = await state(bob2, group_id);
    await leave(ada, group_id);
    const states = await Promise.all([bob, bob2].map((person) => state(person, group_id)));
    expect(states[0]).toEqual(states[1]);
    expect(states[0]?.payload).toEqual({ ...before.payload, member_sids: [bob.sid] });
    expect(states[0]?.payload.is_direct_message).toBe(true);
  });

  test('accepts no message and no member, not even a present one; a member who left is no member', async () => {
    const { ada, bob, group_id } = await pair();
    await leave(ada, group_id);
    expect(await errorsOf(bob, 'MESSAGING_SEND', { group_id, content: 'x' })).toEqual(closed);
    for (const member_sid of [ada.sid, bob.sid, uniqueSid()]) {
      expect(await errorsOf(bob, 'GROUP_ADD_MEMBER', { group_id, member_sid })).toEqual(closed);
    }
    expect(await errorsOf(ada, 'MESSAGING_SEND', { group_id, content: 'x' })).toEqual(notAMember);
    expect(await errorsOf(ada, 'GROUP_ADD_MEMBER', { group_id, member_sid: ada.sid })).toEqual(notAMember);
    expect(await errorsOf(ada, 'GROUP_LEAVE', { group_id })).toEqual(notAMember);
  });

  test('is closed also if it was larger before', async () => {
    const [ada, bob, eve] = [await fixture.enter(0), await fixture.enter(1), await fixture.enter(1)];
    const group_id = await createGroup(ada, [bob.sid, eve.sid]);
    await leave(ada, group_id);
    await receiveMessage(bob, await sendMessage(eve, group_id, 'two are enough'));
    await leave(eve, group_id);
    expect((await stateOf(bob, group_id, [bob.sid])).payload.is_direct_message).toBe(false);
    expect(await errorsOf(bob, 'MESSAGING_SEND', { group_id, content: 'x' })).toEqual(closed);
    expect(await errorsOf(bob, 'GROUP_ADD_MEMBER', { group_id, member_sid: ada.sid })).toEqual(closed);
  });

  test('may be left by its last member too, who receives nothing more of it', async () => {
    const { ada, bob, group_id, open } = await pair();
    await leave(ada, group_id);
    await leave(bob, group_id);
    expect(await errorsOf(bob, 'MESSAGING_SEND', { group_id, content: 'x' })).toEqual(notAMember);
    expect(await errorsOf(bob, 'GROUP_LEAVE', { group_id })).toEqual(notAMember);
    const returned = await fixture.returning(bob.sid, 0, nothing);
    await sendTo(returned, ada, open, 'elsewhere');
    expect(told(returned)).toEqual([open]);
  });

  test('may be left by both at once', async () => {
    const { ada, bob, group_id } = await pair();
    await Promise.all([leave(ada, group_id), leave(bob, group_id)]);
    for (const person of [ada, bob]) {
      expect(await errorsOf(person, 'MESSAGING_SEND', { group_id, content: 'x' })).toEqual(notAMember);
    }
    expect(await createGroup(ada, [bob.sid])).not.toBe(group_id);
  });
});

describe('what was undelivered when a group closed', () => {
  test('is delivered to the last member at sign-in, behind the last state, oldest first', async () => {
    const { ada, bob, group_id, open } = await pair();
    await bob.client.close();
    for (const content of ['one', 'two', 'three']) await sendMessage(ada, group_id, content);
    await leave(ada, group_id);
    const returned = await fixture.returning(bob.sid, 0);
    await returned.client.waitFor(() => contents(returned, group_id).length === 3);
    await sendTo(returned, ada, open, 'fence');
    expect(contents(returned)).toEqual(['one', 'two', 'three', 'fence']);
    expect(statesOf(returned, group_id).map(({ payload }) => payload.member_sids)).toEqual([[bob.sid]]);
  });

  test('is delivered to the last member who is connected', async () => {
    const { ada, bob, group_id } = await pair();
    const [first, second] = await Promise.all([
      sendMessage(ada, group_id, 'one'),
      sendMessage(ada, group_id, 'two'),
    ]);
    await leave(ada, group_id);
    await Promise.all([receiveMessage(bob, first), receiveMessage(bob, second)]);
    await stateOf(bob, group_id, [bob.sid]);
  });

  test('is delivered at sign-in also if the last state was acknowledged already', async () => {
    const statesOnly = { acknowledge: ({ type }: { type: string }) => type === 'GROUP_DELIVER_REQUEST' };
    const { ada, bob, group_id, open } = await pair({ bob: statesOnly });
    await receiveMessage(bob, await sendMessage(ada, group_id, 'not acknowledged'));
    await leave(ada, group_id);
    await stateOf(bob, group_id, [bob.sid]);
    await fixture.untilAcknowledged(bob.sid, group_id, { version: 2 });
    await bob.client.close();
    const returned = await fixture.returning(bob.sid, 0);
    await returned.client.waitFor(() => contents(returned, group_id).length === 1);
    expect(contents(returned, group_id)).toEqual(['not acknowledged']);
    await fixture.untilAcknowledged(bob.sid, group_id, { seq: 1 });
    const again = await fixture.returning(bob.sid, 1);
    await sendTo(again, ada, open, 'fence');
    expect(contents(again)).toEqual(['fence']);
    expect(told(again)).toEqual([open]);
  });
});

describe('the last state of a closed group', () => {
  test('comes again at every sign-in until it is acknowledged', async () => {
    const { ada, bob, group_id, open } = await pair({ bob: messagesOnly });
    await leave(ada, group_id);
    const last = await stateOf(bob, group_id, [bob.sid]);
    for (const gateway of [0, 1]) {
      const mobile = await fixture.returning(bob.sid, gateway, messagesOnly);
      expect(await state(mobile, group_id)).toEqual(last);
      await sendTo(mobile, ada, open, `fence ${gateway}`);
    }
  });

  test('comes at sign-in to a member who was offline, and not again once it was acknowledged', async () => {
    const { ada, bob, group_id, open } = await pair();
    await bob.client.close();
    await leave(ada, group_id);
    const first = await fixture.returning(bob.sid, 0);
    const last = await state(first, group_id);
    expect(last.payload.member_sids).toEqual([bob.sid]);
    await fixture.untilAcknowledged(bob.sid, group_id, { version: 2 });
    for (const gateway of [0, 1]) {
      const returned = await fixture.returning(bob.sid, gateway, nothing);
      await sendTo(returned, ada, open, `fence ${gateway}`);
      expect(told(returned)).toEqual([open]);
    }
  });

  test('is not listed any more once it was acknowledged while connected, on any connection', async () => {
    const { ada, bob, group_id, open } = await pair({ bob: messagesOnly });
    const other = await fixture.returning(bob.sid, 0);
    await state(other, group_id);
    await leave(ada, group_id);
    await stateOf(other, group_id, [bob.sid]);
    await fixture.untilAcknowledged(bob.sid, group_id, { version: 2 });
    const returned = await fixture.returning(bob.sid, 1, nothing);
    await sendTo(returned, ada, open, 'fence');
    expect(told(returned)).toEqual([open]);
  });

  test('acknowledged or not, leaves the last member able to leave', async () => {
    const { ada, bob, group_id } = await pair();
    await leave(ada, group_id);
    await stateOf(bob, group_id, [bob.sid]);
    await fixture.untilAcknowledged(bob.sid, group_id, { version: 2 });
    const returned = await fixture.returning(bob.sid, 0);
    await leave(returned, group_id);
    expect(await errorsOf(returned, 'GROUP_LEAVE', { group_id })).toEqual(notAMember);
  });
});

describe('a direct message that was closed', () => {
  test.each(['the member who left', 'the member who remained'])(
    'is followed by a new one with a new id, created by %s',
    async (by) => {
      const { ada, bob, group_id } = await pair();
      await leave(ada, group_id);
      const [creator, other] = by === 'the member who left' ? [ada, bob] : [bob, ada];
      const next = await createGroup(creator, [other.sid]);
      expect(next).toBeGreaterThan(group_id);
      expect(await createGroup(other, [creator.sid])).toBe(next);
      for (const person of [ada, bob]) {
        expect((await state(person, next)).payload).toMatchObject({
          is_direct_message: true,
          member_sids: [ada.sid, bob.sid].sort(),
        });
      }
      const message = await sendMessage(creator, next, 'again');
      for (const person of [ada, bob])
        expect((await receiveMessage(person, message)).payload.group_id).toBe(next);
      expect(await errorsOf(bob, 'MESSAGING_SEND', { group_id, content: 'x' })).toEqual(closed);
    },
  );

  test('stays closed when both left and a new one exists', async () => {
    const { ada, bob, group_id } = await pair();
    await leave(ada, group_id);
    const next = await createGroup(ada, [bob.sid]);
    await leave(ada, next);
    const third = await createGroup(bob, [ada.sid]);
    expect(new Set([group_id, next, third]).size).toBe(3);
    for (const id of [group_id, next]) {
      expect(await errorsOf(bob, 'MESSAGING_SEND', { group_id: id, content: 'x' })).toEqual(closed);
    }
    await receiveMessage(bob, await sendMessage(bob, third, 'open'));
  });
});

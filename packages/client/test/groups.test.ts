import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { messageBytesOver, RequestError } from '../src/index.ts';
import { createFixture, failing, introduce, type Member, next, reached, signUp, until } from './fixture.ts';
import type { FrameGate, PassingFrame } from './frame-gate.ts';

const fixture = createFixture({
  gateways: 2,
  cores: 1,
});

const urlOf = (gateway: number) => fixture.system.gateway(gateway).url;

/** Ada, and Bob whose frames the test sees, in a group; Bob has no handler for messages yet. */
async function pair(): Promise<{ ada: Member; bob: Member; gate: FrameGate; groupId: number }> {
  const gate = await fixture.gate(1);
  const ada = await fixture.member(urlOf(0));
  const bob = fixture.client(gate.url);
  await signUp(bob);
  return { ada, bob, gate, groupId: await introduce(ada, bob) };
}

describe('groups', () => {
  test('tell all members of a member who joins or leaves; a member who left receives that it is gone', async () => {
    const [ada, bob, cat] = await Promise.all([0, 1, 1].map((gateway) => fixture.member(urlOf(gateway))));
    if (!ada || !bob || !cat) throw new Error('three people');
    const groupId = await ada.client.createGroup('three', [bob.sid, '1.5550199']);
    const joined = next(cat, 'group');
    await ada.client.addMember(groupId, cat.sid);
    expect((await joined).member_sids).toContain(cat.sid);
    const changed = next(ada, 'group', ({ member_sids }) => !member_sids.includes(bob.sid));
    const gone = next(bob, 'groupRemoved');
    await bob.client.leaveGroup(groupId);
    expect(bob.client.groups.size).toBe(0);
    expect(await gone).toBe(groupId);
    await changed;
    expect(ada.client.groups.get(groupId)?.member_sids).not.toContain(bob.sid);
  });

  test('that close are removed, and acknowledged', async () => {
    const { ada, bob, gate, groupId } = await pair();
    const gone = next(bob, 'groupRemoved');
    await ada.client.leaveGroup(groupId);
    expect(await gone).toBe(groupId);
    expect(bob.client.groups.size).toBe(0);
    const acknowledged = ({ type, payload }: PassingFrame) =>
      type === 'GROUP_DELIVER_SUCCESS' && payload.group_id === groupId;
    await until('acknowledged twice', () => gate.fromClients.filter(acknowledged).length >= 2);
  });

  test('that the user left elsewhere meanwhile are gone after the next sign-in, others stay', async () => {
    const { ada, bob, gate, groupId } = await pair();
    const received = next(bob, 'group');
    const other = await ada.client.createGroup('other', [bob.sid, '1.5550199']);
    await received;
    const elsewhere = fixture.client(urlOf(0), {}, bob.credential);
    await elsewhere.client.signIn(bob.credential);
    gate.isShut = true;
    const lost = next(bob, 'state', ({ status }) => status === 'waiting');
    gate.close(1001);
    await lost;
    await elsewhere.client.leaveGroup(other);
    expect([...bob.client.groups.keys()].sort()).toEqual([groupId, other].sort());
    const gone = next(bob, 'groupRemoved');
    const complete = next(bob, 'groupsComplete');
    gate.isShut = false;
    bob.client.connect();
    await complete;
    expect(await gone).toBe(other);
    expect([...bob.client.groups.keys()]).toEqual([groupId]);
    expect(bob.groups.map(({ group_id }) => group_id)).toEqual([groupId, other]);
  });
});

test('a group that the user left in another client goes when that is said, and comes back when the user is added again', async () => {
  const [ada, bob] = [await fixture.member(urlOf(0)), await fixture.member(urlOf(1))];
  const other = fixture.client(urlOf(1), {}, bob.credential);
  await other.client.signIn(bob.credential);
  const received = Promise.all([next(bob, 'group'), next(other, 'group')]);
  const groupId = await ada.client.createGroup('three', [bob.sid, '1.5550199']);
  await received;
  await bob.client.leaveGroup(groupId);
  const gone = next(other, 'groupRemoved');
  other.client.leftElsewhere(groupId);
  expect(other.client.groups.size).toBe(0);
  expect(await gone).toBe(groupId);
  // The same state as before.
  const back = next(other, 'group');
  await ada.client.addMember(groupId, bob.sid);
  expect(await back).toMatchObject({ group_id: groupId, member_sids: expect.arrayContaining([bob.sid]) });
  expect([...other.client.groups.keys()]).toEqual([groupId]);
});

describe('a request that cannot succeed', () => {
  test('rejects with what the server said', async () => {
    const ada = await fixture.member(urlOf(0));
    const error = await failing(ada.client.send(Number.MAX_SAFE_INTEGER, 'to nobody'));
    expect(error).toBeInstanceOf(RequestError);
    expect(error).toMatchObject({
      reason: 'failure',
      errors: ['not a member of the group'],
      mayRetry: false,
      message: 'not a member of the group',
    });
    expect(ada.client.outbox).toEqual([]);
    expect(await failing(ada.client.submitCode('000000'))).toMatchObject({
      errors: ['no code was requested on this connection'],
    });
  });

  test('is not sent when it is too large for a frame, or nobody is signed in', async () => {
    const { bob, gate, groupId } = await pair();
    const frames = gate.fromClients.length;
    const tooLarge = await failing(bob.client.send(groupId, '🥾'.repeat(16_384)));
    const over = messageBytesOver(groupId, '🥾'.repeat(16_384));
    expect(over).toBeGreaterThan(0);
    expect(tooLarge).toMatchObject({
      reason: 'too-large',
      errors: [`frame: must be at most 65536 bytes, and has ${over} more`],
    });
    expect(bob.client.outbox).toEqual([]);
    // The longest that fits is sent, and an app can know which one that is.
    const longest = `${'🥾'.repeat(16_384 - Math.ceil(over / 4))}${'x'.repeat((4 - (over % 4)) % 4)}`;
    expect([messageBytesOver(groupId, longest), messageBytesOver(groupId, `${longest}x`)]).toEqual([0, 1]);
    expect(await bob.client.send(groupId, longest)).toBeGreaterThan(0);
    await expect(bob.client.send(groupId, 'hello', { id: '1' })).rejects.toThrow(TypeError);
    const nobody = fixture.client(gate.url);
    expect(await failing(nobody.client.send(groupId, 'hello'))).toMatchObject({ reason: 'not-signed-in' });
    const sent = gate.fromClients.slice(frames).filter(({ type }) => type === 'MESSAGING_SEND_REQUEST');
    expect(sent).toHaveLength(1);
    expect(gate.connections).toBeGreaterThan(0);
  });

  test('signing in with a wrong code rejects, and the right one is taken after it', async () => {
    const ada = await fixture.member(urlOf(0));
    const again = fixture.client(urlOf(1), {}, ada.credential);
    const wrong = { ...ada.credential, verification_code: randomUUID() };
    expect(await failing(again.client.signIn(wrong))).toMatchObject({
      errors: ['wrong phone number or verification code'],
    });
    expect(again.client.state).toEqual({ status: 'connected' });
    await again.client.signIn(ada.credential);
    expect(again.client.state).toEqual({ status: 'signed-in' });
    // Another wrong one does not cost the sign-in that holds.
    expect(await failing(again.client.signIn(wrong))).toMatchObject({ reason: 'failure' });
    await reached(again, 'signed-in');
  });
});

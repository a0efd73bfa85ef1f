import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { RequestError } from '../src/index.ts';
import { contents, heard, listen, type Member, next, setCompany, signUp, until } from './company.ts';
import type { FrameGate, PassingFrame } from './frame-gate.ts';

const company = setCompany({
  gateways: 2,
  cores: 1,
  env: { DELIVERY_ACK_DEADLINE_MS: '300' },
  gatewayEnv: { CURSOR_FLUSH_MS: '50' },
  coreEnv: { DELIVERY_RETRY_MS: '300', DELIVERY_RETRY_JITTER: '0' },
});

const urlOf = (gateway: number) => company.system.gateway(gateway).url;

/** Ada, and Bob whose frames the test sees, in a group; Bob has no handler for messages yet. */
async function pair(): Promise<{ ada: Member; bob: Member; gate: FrameGate; groupId: number }> {
  const gate = await company.gate(1);
  const ada = await company.member(urlOf(0));
  const bob = company.client(gate.url);
  await signUp(bob);
  const told = next(bob, 'group');
  const groupId = await ada.client.createGroup('', [bob.sid]);
  await told;
  return { ada, bob, gate, groupId };
}

/** The ids of what a client answered, in order. */
function answered({ fromClients }: FrameGate, type: string): (number | undefined)[] {
  return fromClients.filter((frame) => frame.type === type).map(({ payload }) => payload.message_id);
}

describe('messages', () => {
  test('reach everybody in the group, in the order of sending, each once', async () => {
    const [ada, bob] = [await company.member(urlOf(0)), await company.member(urlOf(1))];
    const told = next(bob, 'group');
    const groupId = await ada.client.createGroup('a group', [bob.sid]);
    expect(await told).toMatchObject({ group_id: groupId, group_name: 'a group', is_direct_message: true });
    expect(bob.client.groups.get(groupId)?.member_sids).toEqual([ada.sid, bob.sid].sort());
    const said = Array.from({ length: 20 }, (_, index) => `message ${index}`);
    const ids = await Promise.all(said.map((content) => ada.client.send(groupId, content)));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    for (const member of [ada, bob]) {
      await heard(member, said);
      expect(contents(member)).toEqual(said);
      expect(member.messages.map(({ message_id }) => message_id)).toEqual(ids);
      expect(member.errors).toEqual([]);
    }
    expect(ada.client.outbox).toEqual([]);
  });

  test('are acknowledged when all handlers have resolved, and not before', async () => {
    const { ada, bob, gate, groupId } = await pair();
    let release = () => {};
    const begun = next(bob, 'message');
    bob.client.on('message', () => new Promise<void>((resolve) => (release = resolve)));
    const id = await ada.client.send(groupId, 'slowly');
    await begun;
    // What bob sends behind it overtakes the acknowledgement.
    await bob.client.send(groupId, 'meanwhile');
    expect(answered(gate, 'MESSAGING_DELIVER_SUCCESS')).toEqual([]);
    release();
    await until('it is acknowledged', () => answered(gate, 'MESSAGING_DELIVER_SUCCESS')[0] === id);
  });

  test('at which a handler throws are answered with FAILURE and come again; later ones do not wait', async () => {
    const { ada, bob, gate, groupId } = await pair();
    listen(bob);
    let throws = true;
    bob.client.on('message', async ({ content }) => {
      if (content !== 'one' || !throws) return;
      throws = false;
      throw new Error('database is locked');
    });
    const ids = [await ada.client.send(groupId, 'one'), await ada.client.send(groupId, 'two')];
    await until('both are acknowledged', () => answered(gate, 'MESSAGING_DELIVER_SUCCESS').length >= 2);
    expect(contents(bob)).toEqual(['one', 'two', 'one']);
    expect(answered(gate, 'MESSAGING_DELIVER_SUCCESS').sort()).toEqual(ids);
    const failures = gate.fromClients.filter(({ type }) => type === 'MESSAGING_DELIVER_FAILURE');
    expect(failures).toEqual([
      {
        id: `m.${groupId}.${ids[0]}`,
        type: 'MESSAGING_DELIVER_FAILURE',
        payload: { errors: ['database is locked'] },
      },
    ]);
    expect(bob.errors).toEqual([new Error('database is locked')]);
  });

  test('that come again are acknowledged again, and handled once', async () => {
    const { ada, bob, gate, groupId } = await pair();
    listen(bob);
    let lost = 0;
    gate.onClientFrame = ({ type }) => {
      if (type !== 'MESSAGING_DELIVER_SUCCESS' || lost === 2) return undefined;
      lost += 1;
      return 'drop';
    };
    const id = await ada.client.send(groupId, 'once');
    await until('three times', () => answered(gate, 'MESSAGING_DELIVER_SUCCESS').length === 3);
    expect(answered(gate, 'MESSAGING_DELIVER_SUCCESS')).toEqual([id, id, id]);
    expect(contents(bob)).toEqual(['once']);
  });

  test('wait for the first handler', async () => {
    const { ada, bob, gate, groupId } = await pair();
    await ada.client.send(groupId, 'one');
    await ada.client.send(groupId, 'two');
    await bob.client.send(groupId, 'three');
    expect(answered(gate, 'MESSAGING_DELIVER_SUCCESS')).toEqual([]);
    listen(bob);
    await heard(bob, ['one', 'two', 'three']);
    expect(contents(bob)).toEqual(['one', 'two', 'three']);
  });

  test('of one group are handled one after the other, and another group does not wait', async () => {
    const { ada, bob, groupId } = await pair();
    const told = next(bob, 'group');
    const other = await ada.client.createGroup('other', [bob.sid, ada.sid, '1.5550199']);
    await told;
    let release = () => {};
    bob.client.on('message', ({ content }) =>
      content === 'first' ? new Promise<void>((resolve) => (release = resolve)) : undefined,
    );
    listen(bob);
    await ada.client.send(groupId, 'first');
    await ada.client.send(groupId, 'second');
    await ada.client.send(other, 'elsewhere');
    await heard(bob, ['first', 'elsewhere']);
    expect(contents(bob)).toEqual(['first', 'elsewhere']);
    release();
    await heard(bob, ['second']);
  });
});

describe('groups', () => {
  test('tell all members of who joins and leaves; who left is told that it is gone', async () => {
    const [ada, bob, cat] = await Promise.all([0, 1, 1].map((gateway) => company.member(urlOf(gateway))));
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
    await until('told twice', () => gate.fromClients.filter(acknowledged).length >= 2);
  });

  test('that the person left elsewhere meanwhile are gone after the next sign-in, others stay', async () => {
    const { ada, bob, gate, groupId } = await pair();
    const told = next(bob, 'group');
    const other = await ada.client.createGroup('other', [bob.sid, '1.5550199']);
    await told;
    const elsewhere = company.client(urlOf(0), {}, bob.credential);
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

describe('a request that cannot succeed', () => {
  const failing = (promise: Promise<unknown>) => promise.catch((error: unknown) => error as RequestError);

  test('rejects with what the server said', async () => {
    const ada = await company.member(urlOf(0));
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
    expect(tooLarge).toMatchObject({ reason: 'too-large' });
    await expect(bob.client.send(groupId, 'hello', { id: '1' })).rejects.toThrow(TypeError);
    const nobody = company.client(gate.url);
    expect(await failing(nobody.client.send(groupId, 'hello'))).toMatchObject({ reason: 'not-signed-in' });
    expect(gate.fromClients.slice(frames).filter(({ type }) => type === 'MESSAGING_SEND_REQUEST')).toEqual(
      [],
    );
    expect(gate.connections).toBeGreaterThan(0);
  });

  test('signing in with a wrong code rejects, and the right one is taken after it', async () => {
    const ada = await company.member(urlOf(0));
    const again = company.client(urlOf(1), {}, ada.credential);
    const wrong = { ...ada.credential, verification_code: randomUUID() };
    expect(await failing(again.client.signIn(wrong))).toMatchObject({
      errors: ['wrong phone number or verification code'],
    });
    expect(again.client.state).toEqual({ status: 'connected' });
    await again.client.signIn(ada.credential);
    expect(again.client.state).toEqual({ status: 'signed-in' });
  });
});

import { describe, expect, test } from '@jest/globals';
import {
  contents,
  createFixture,
  heard,
  introduce,
  listen,
  type Member,
  next,
  signUp,
  until,
} from './fixture.ts';
import type { FrameGate } from './frame-gate.ts';

const fixture = createFixture({
  gateways: 2,
  cores: 1,
  env: { DELIVERY_ACK_DEADLINE_MS: '300' },
  gatewayEnv: { CURSOR_FLUSH_MS: '50' },
  coreEnv: { DELIVERY_RETRY_MS: '300', DELIVERY_RETRY_JITTER: '0' },
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

/** The ids of what a client answered, in order. */
function answered({ fromClients }: FrameGate, type: string): (number | undefined)[] {
  return fromClients.filter((frame) => frame.type === type).map(({ payload }) => payload.message_id);
}

describe('messages', () => {
  test('reach all members of the group, in the order of sending, each once', async () => {
    const [ada, bob] = [await fixture.member(urlOf(0)), await fixture.member(urlOf(1))];
    const received = next(bob, 'group');
    const groupId = await ada.client.createGroup('a group', [bob.sid]);
    expect(await received).toMatchObject({
      group_id: groupId,
      group_name: 'a group',
      is_direct_message: true,
    });
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
    // Until the later one is handled, which it never is if it waits for this one.
    bob.client.on('message', async ({ content }) => {
      if (content === 'one' && !contents(bob).includes('two')) throw new Error('database is locked');
    });
    const ids = [await ada.client.send(groupId, 'one'), await ada.client.send(groupId, 'two')];
    await until('both are acknowledged', () =>
      ids.every((id) => answered(gate, 'MESSAGING_DELIVER_SUCCESS').includes(id)),
    );
    // How often the first one comes before the second one is sent is the machine's affair.
    expect(contents(bob).join()).toMatch(/^(one,)+two,one$/);
    expect(new Set(answered(gate, 'MESSAGING_DELIVER_SUCCESS'))).toEqual(new Set(ids));
    const thrown = contents(bob).length - 2;
    const failures = gate.fromClients.filter(({ type }) => type === 'MESSAGING_DELIVER_FAILURE');
    const failure = {
      id: `m.${groupId}.${ids[0]}`,
      type: 'MESSAGING_DELIVER_FAILURE',
      payload: { errors: ['database is locked'] },
    };
    expect(failures).toEqual(Array.from({ length: thrown }, () => failure));
    expect(bob.errors).toEqual(Array.from({ length: thrown }, () => new Error('database is locked')));
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
    await until('three times', () => answered(gate, 'MESSAGING_DELIVER_SUCCESS').length >= 3);
    expect(new Set(answered(gate, 'MESSAGING_DELIVER_SUCCESS'))).toEqual(new Set([id]));
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
    const received = next(bob, 'group');
    const other = await ada.client.createGroup('other', [bob.sid, ada.sid, '1.5550199']);
    await received;
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

import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { type ClientStorage, memoryStorage, type OutboxChange } from '../src/index.ts';
import { disconnect, pairOf, reconnect } from './disconnect.ts';
import {
  contents,
  createFixture,
  failing,
  heard,
  listen,
  type Member,
  next,
  reached,
  takeTheClock,
  until,
} from './fixture.ts';
import type { FrameGate } from './frame-gate.ts';

const fixture = createFixture({
  gateways: 1,
  cores: 1,
  env: { DELIVERY_ACK_DEADLINE_MS: '300' },
  gatewayEnv: { CURSOR_FLUSH_MS: '50' },
  coreEnv: { DELIVERY_RETRY_MS: '300' },
});

const url = () => fixture.system.gateway(0).url;
const pair = (options = {}) => pairOf(fixture, options);

afterEach(() => {
  jest.useRealTimers();
});

const refuse: FrameGate['onClientFrame'] = ({ id, type }) =>
  type === 'MESSAGING_SEND_REQUEST'
    ? { instead: { id, type: 'MESSAGING_SEND_FAILURE', payload: { errors: ['group is closed'] } } }
    : undefined;

/** From now on no outcome of a client's requests counts as handled before `end`. */
function holdOutcomes({ client }: Member): { end(): void } {
  const hold = { end: () => {} };
  const ended = new Promise<void>((resolve) => {
    hold.end = resolve;
  });
  client.on('outbox', ({ status }) => (status === 'queued' ? undefined : ended));
  return hold;
}

async function outboxOf(storage: ClientStorage): Promise<unknown[]> {
  const stored = [...(await storage.load())];
  return stored.filter(([key]) => key.startsWith('outbox/')).map(([, value]) => JSON.parse(value));
}

describe('with a storage that lasts,', () => {
  test('the next client signs in by itself, and sends what the one before could not', async () => {
    const storage = memoryStorage();
    const { ada, bob, gate, groupId } = await pair({ storage });
    await disconnect(ada, gate);
    const ids = [randomUUID(), randomUUID()];
    const sent = ids.map((id, index) => failing(ada.client.send(groupId, `message ${index}`, { id })));
    await until('both wait', () => ada.client.outbox.length === 2);
    await ada.client.close();
    for (const error of await Promise.all(sent)) expect(error).toMatchObject({ reason: 'closed' });
    expect(await failing(ada.client.send(groupId, 'too late'))).toMatchObject({ reason: 'closed' });

    const later = fixture.client(url(), { storage });
    const changes: OutboxChange[] = [];
    later.client.on('outbox', (change) => changes.push(change));
    expect(await later.client.restored).toBe(ada.sid);
    expect(later.client.outbox.map(({ id }) => id)).toEqual(ids);
    const messageId = await later.client.send(groupId, 'message 1', { id: ids[1] as string });
    await heard(bob, ['message 0', 'message 1']);
    expect(contents(bob)).toEqual(['message 0', 'message 1']);
    expect(bob.messages[1]?.message_id).toBe(messageId);
    expect(changes.map(({ status, request }) => [status, request.id])).toEqual(
      ids.map((id) => ['succeeded', id]),
    );
    expect(await storage.load().then((stored) => [...stored.keys()])).not.toContainEqual(
      expect.stringContaining('outbox'),
    );
  });

  test.each(['succeeded', 'failed'] as const)(
    'a request that %s is there until its outcome was handled; the next client is given the outcome, and sends nothing',
    async (how) => {
      const storage = memoryStorage();
      const { ada, gate, groupId } = await pair({ storage });
      if (how === 'failed') gate.onClientFrame = refuse;
      const id = randomUUID();
      const handling = holdOutcomes(ada);
      await ada.client.send(groupId, 'once', { id }).catch(() => undefined);
      expect([ada.client.outbox.length, (await outboxOf(storage)).length]).toEqual([0, 1]);

      // As if the page had gone now, and another one had come, whose handler does not end either; and then a third one.
      let left = storage;
      for (const _page of ['second', 'third']) {
        const another = memoryStorage();
        for (const [key, value] of await left.load()) await another.set(key, value);
        left = another;
        const later = fixture.client(gate.url, { storage: another });
        holdOutcomes(later);
        const change = await next(later, 'outbox');
        expect(change).toMatchObject({ status: how, request: { id, payload: { content: 'once' } } });
        if (how === 'failed') expect(change).toMatchObject({ error: { errors: ['group is closed'] } });
        expect(later.client.outbox).toEqual([]);
        await later.client.send(groupId, 'fence').catch(() => undefined);
      }
      expect(gate.fromClients.filter((frame) => frame.id === id)).toHaveLength(1);

      // By which it would not wait for handlers any longer.
      takeTheClock();
      const ends: string[] = [];
      const closed = ada.client.close().then(() => ends.push('closed'));
      // Takes several times as long as a close that waits for no handler.
      await fixture.member(url());
      ends.push('handled');
      handling.end();
      await closed;
      expect(ends).toEqual(['handled', 'closed']);
      expect(await outboxOf(storage)).toEqual([]);
    },
  );

  test.each(['who has signed out and in', 'of another client'] as const)(
    'a handler that ends late takes nothing out of the next outbox: that of a user %s',
    async (whose) => {
      const storage = memoryStorage();
      const { ada, bob, gate, groupId } = await pair({ storage });
      const id = randomUUID();
      gate.onClientFrame = refuse;
      const handling = holdOutcomes(ada);
      await failing(ada.client.send(groupId, 'again', { id }));
      gate.onClientFrame = ({ type }) => (type === 'MESSAGING_SEND_REQUEST' ? 'drop' : undefined);
      let later = ada;
      if (whose === 'of another client') later = fixture.client(gate.url, { storage }, ada.credential);
      else await ada.client.signOut();
      await later.client.signIn(ada.credential);
      const again = failing(later.client.send(groupId, 'again', { id }));
      await until('it waits', () => later.client.outbox.length === 1);
      handling.end();
      // All that follows from that in this process has happened by then.
      await new Promise((done) => setImmediate(done));
      await Promise.all([ada, later].map(({ client }) => client.close({ signal: AbortSignal.abort() })));
      expect(await again).toMatchObject({ reason: 'closed' });

      gate.onClientFrame = () => undefined;
      fixture.client(gate.url, { storage });
      await heard(bob, ['again']);
    },
  );

  test('a request that two clients on one storage were given is sent once by the next, and then gone', async () => {
    const storage = memoryStorage();
    const { ada, bob, gate, groupId } = await pair({ storage });
    const other = fixture.client(gate.url, { storage });
    await reached(other, 'signed-in');
    gate.onClientFrame = ({ type }) => (type === 'MESSAGING_SEND_REQUEST' ? 'drop' : undefined);
    const id = randomUUID();
    const sent = [ada, other].map(({ client }) => failing(client.send(groupId, 'once', { id })));
    await until('both wait', () => [ada, other].every(({ client }) => client.outbox.length === 1));
    await Promise.all([ada, other].map(({ client }) => client.close({ signal: AbortSignal.abort() })));
    for (const error of await Promise.all(sent)) expect(error).toMatchObject({ reason: 'closed' });

    gate.onClientFrame = () => undefined;
    const before = gate.fromClients.length;
    const later = fixture.client(gate.url, { storage });
    await later.client.restored;
    expect(later.client.outbox.map((request) => request.id)).toEqual([id]);
    await later.client.send(groupId, 'fence');
    await heard(bob, ['once', 'fence']);
    await later.client.close();
    expect(gate.fromClients.slice(before).filter((frame) => frame.id === id)).toHaveLength(1);
    expect(await outboxOf(storage)).toEqual([]);
  });

  test('a handler of a removed group that ends late leaves what the next sign-in has handled', async () => {
    const storage = memoryStorage();
    const { ada, bob } = await pair({ storage });
    const cat = await fixture.member(url());
    const known = next(ada, 'group', ({ group_name }) => group_name === 'three');
    const groupId = await bob.client.createGroup('three', [ada.sid, cat.sid]);
    await known;
    let end = () => {};
    const removing = next(ada, 'groupRemoved');
    const off = ada.client.on('groupRemoved', () => new Promise<void>((resolve) => (end = resolve)));
    await ada.client.leaveGroup(groupId);
    await removing;
    off();
    await ada.client.signOut();
    await ada.client.signIn(ada.credential);
    await bob.client.addMember(groupId, ada.sid);
    await bob.client.send(groupId, 'welcome back');
    await heard(ada, ['welcome back']);
    const handled = async () => [...(await storage.load()).keys()].includes(`seen/${ada.sid}/${groupId}`);
    await until('it is handled', handled);
    end();
    await new Promise((done) => setImmediate(done));
    expect(await handled()).toBe(true);
  });

  test('a message that was handled is not handled by the next client, and acknowledged', async () => {
    const storage = memoryStorage();
    const { ada, bob, gate, groupId } = await pair({ storage });
    const acknowledgements = () =>
      gate.fromClients.filter(({ type }) => type === 'MESSAGING_DELIVER_SUCCESS');
    gate.onClientFrame = ({ type }) => (type === 'MESSAGING_DELIVER_SUCCESS' ? 'drop' : undefined);
    const id = await bob.client.send(groupId, 'once');
    await until('it is handled', () => acknowledgements().length > 0);
    await ada.client.close();
    gate.onClientFrame = () => undefined;
    const before = acknowledgements().length;
    const later = fixture.client(gate.url, { storage });
    listen(later);
    await until('it is acknowledged', () => acknowledgements().length > before);
    expect(acknowledgements().at(-1)?.payload.message_id).toBe(id);
    await bob.client.send(groupId, 'fence');
    await heard(later, ['fence']);
    expect(contents(later)).toEqual(['fence']);
  });

  test('nothing of one user is sent as another one; it waits until they are back', async () => {
    const { ada, bob, gate, groupId } = await pair({ storage: memoryStorage() });
    const cat = await fixture.member(url());
    await disconnect(ada, gate);
    const sent = failing(ada.client.send(groupId, 'from ada'));
    await until('it waits', () => ada.client.outbox.length === 1);
    gate.isShut = false;
    await ada.client.signIn(cat.credential);
    expect(await sent).toMatchObject({ reason: 'closed' });
    expect(ada.client.sid).toBe(cat.sid);
    expect(ada.client.outbox).toEqual([]);
    await ada.client.signIn(ada.credential);
    await heard(bob, ['from ada']);
    expect(bob.messages[0]?.sender_sid).toBe(ada.sid);
  });

  test('signing out forgets the credential and what waits', async () => {
    const storage = memoryStorage();
    const { ada, gate, groupId } = await pair({ storage });
    await disconnect(ada, gate);
    const sent = failing(ada.client.send(groupId, 'never'));
    await until('it waits', () => ada.client.outbox.length === 1);
    await ada.client.signOut();
    expect(await sent).toMatchObject({ reason: 'closed' });
    expect([ada.client.sid, ada.client.groups.size, ada.client.outbox.length]).toEqual([undefined, 0, 0]);
    reconnect(ada, gate);
    await reached(ada, 'connected');
    const keys = [...(await storage.load()).keys()];
    expect(keys.filter((key) => !key.startsWith('seen/'))).toEqual([]);
  });
});

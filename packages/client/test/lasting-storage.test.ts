import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { memoryStorage, type OutboxChange } from '../src/index.ts';
import { disconnect, pairOf, reconnect } from './disconnect.ts';
import { contents, createFixture, failing, heard, listen, reached, until } from './fixture.ts';

const fixture = createFixture({
  gateways: 1,
  cores: 1,
  env: { DELIVERY_ACK_DEADLINE_MS: '300' },
  gatewayEnv: { CURSOR_FLUSH_MS: '50' },
  coreEnv: { DELIVERY_RETRY_MS: '300' },
});

const url = () => fixture.system.gateway(0).url;
const pair = (options = {}) => pairOf(fixture, options);

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

  test('a request that failed is there until the failure was handled, and fails again for the next client if it was not', async () => {
    const storage = memoryStorage();
    const { ada, gate, groupId } = await pair({ storage });
    const left = async () =>
      [...(await storage.load()).keys()].filter((key) => key.startsWith('outbox/')).length;
    gate.onClientFrame = ({ id, type }) =>
      type === 'MESSAGING_SEND_REQUEST'
        ? { instead: { id, type: 'MESSAGING_SEND_FAILURE', payload: { errors: ['group is closed'] } } }
        : undefined;
    let keep = () => {};
    ada.client.on('outbox', ({ status }) =>
      status === 'failed' ? new Promise<void>((resolve) => (keep = resolve)) : undefined,
    );
    expect(await failing(ada.client.send(groupId, 'not kept'))).toMatchObject({ reason: 'failure' });
    expect([ada.client.outbox.length, await left()]).toEqual([0, 1]);

    // As if the page had gone now, and another one had come.
    const another = memoryStorage();
    for (const [key, value] of await storage.load()) await another.set(key, value);
    const later = fixture.client(gate.url, { storage: another });
    const failed = new Promise<OutboxChange>((resolve) =>
      later.client.on('outbox', (change) => change.status === 'failed' && resolve(change)),
    );
    expect((await failed).request.payload).toEqual({ group_id: groupId, content: 'not kept' });

    const closed = ada.client.close();
    keep();
    await closed;
    expect(await left()).toBe(0);
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

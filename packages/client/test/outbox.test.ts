import { describe, expect, test } from '@jest/globals';
import { disconnect, pairOf, reconnect } from './disconnect.ts';
import { contents, createFixture, failing, heard, type Member, next, until } from './fixture.ts';
import type { FrameGate } from './frame-gate.ts';

const fixture = createFixture({
  gateways: 1,
  cores: 1,
  env: { DELIVERY_ACK_DEADLINE_MS: '300' },
  gatewayEnv: { CURSOR_FLUSH_MS: '50' },
  coreEnv: { DELIVERY_RETRY_MS: '300' },
});

const pair = (options = {}) => pairOf(fixture, options);

const sends = ({ fromClients }: FrameGate) =>
  fromClients.filter(({ type }) => type === 'MESSAGING_SEND_REQUEST');

describe('a request', () => {
  test('that is made while there is no connection is sent when there is one, in the order of the calls', async () => {
    const { ada, bob, gate, groupId } = await pair();
    await disconnect(ada, gate);
    const said = ['one', 'two', 'three'];
    const sent = said.map((content) => ada.client.send(groupId, content));
    await until('all wait', () => ada.client.outbox.length === 3);
    expect(ada.client.outbox.map(({ payload }) => payload)).toEqual(
      said.map((content) => ({ group_id: groupId, content })),
    );
    reconnect(ada, gate);
    await Promise.all(sent);
    await heard(bob, said);
    expect(contents(bob)).toEqual(said);
  });

  test('whose answer is lost with the connection is repeated with its UUID, and takes effect once', async () => {
    const { ada, bob, gate, groupId } = await pair();
    let cuts = 0;
    gate.onServerFrame = ({ type }) => {
      if (type !== 'MESSAGING_SEND_SUCCESS' || cuts === 2) return undefined;
      cuts += 1;
      return 'cut';
    };
    const sent = [ada.client.send(groupId, 'once'), ada.client.send(groupId, 'fence')];
    const ids = await Promise.all(sent);
    await heard(bob, ['once', 'fence']);
    expect(bob.messages.map(({ message_id }) => message_id)).toEqual(ids);
    const [first, second, third, fourth] = sends(gate).map(({ id }) => id);
    expect([second, third]).toEqual([first, first]);
    expect(fourth).not.toBe(first);
    await heard(ada, ['once', 'fence']);
    expect(contents(ada)).toEqual(['once', 'fence']);
  });

  test('that makes a group makes one, whatever breaks', async () => {
    const { ada, bob, gate } = await pair();
    let isCut = false;
    gate.onServerFrame = ({ type }) => {
      if (type !== 'GROUP_CREATE_SUCCESS' || isCut) return undefined;
      isCut = true;
      return 'cut';
    };
    const groupId = await ada.client.createGroup('once', [bob.sid, '1.5550199']);
    await ada.client.send(groupId, 'fence');
    await heard(bob, ['fence']);
    expect(bob.groups.filter(({ group_name }) => group_name === 'once')).toHaveLength(1);
  });

  test('that the server is too busy for is repeated, before the next one of its group', async () => {
    const { ada, bob, gate, groupId } = await pair();
    let refusals = 0;
    gate.onClientFrame = ({ id, type }) => {
      if (type !== 'MESSAGING_SEND_REQUEST' || refusals === 2) return undefined;
      refusals += 1;
      return { instead: { id, type: 'MESSAGING_SEND_FAILURE', payload: { errors: ['server busy'] } } };
    };
    await Promise.all(['one', 'two'].map((content) => ada.client.send(groupId, content)));
    await heard(bob, ['one', 'two']);
    expect(contents(bob)).toEqual(['one', 'two']);
    expect(sends(gate).map(({ payload }) => payload.content)).toEqual(['one', 'one', 'one', 'two']);
    expect(new Set(sends(gate).map(({ id }) => id)).size).toBe(2);
  });

  test('that the server wants later is repeated when it said, and one that it wants much later fails', async () => {
    const { ada, bob, gate, groupId } = await pair();
    const waits = [1, undefined, 86_400];
    gate.onClientFrame = ({ id, type }) => {
      const seconds = type === 'MESSAGING_SEND_REQUEST' ? waits.shift() : undefined;
      if (seconds === undefined) return undefined;
      const errors = [`too many messages: try again in ${seconds} s`];
      return { instead: { id, type: 'MESSAGING_SEND_FAILURE', payload: { errors } } };
    };
    await ada.client.send(groupId, 'soon');
    expect(sends(gate)).toHaveLength(2);
    expect(await failing(ada.client.send(groupId, 'tomorrow'))).toMatchObject({ mayRetry: true });
    await heard(bob, ['soon']);
  });

  test('that is aborted before it leaves is never sent', async () => {
    const { ada, gate, groupId } = await pair();
    await disconnect(ada, gate);
    const controller = new AbortController();
    const aborted = failing(ada.client.send(groupId, 'never', { signal: controller.signal }));
    const sent = ada.client.send(groupId, 'after it');
    await until('both wait', () => ada.client.outbox.length === 2);
    controller.abort(new Error('changed my mind'));
    expect(await aborted).toEqual(new Error('changed my mind'));
    reconnect(ada, gate);
    await sent;
    expect(sends(gate).map(({ payload }) => payload.content)).toEqual(['after it']);
  });

  test('for a code rejects when the connection breaks before the answer', async () => {
    const gate = await fixture.gate(0);
    const ada = fixture.client(gate.url);
    gate.onServerFrame = ({ type }) => (type === 'VERIFICATION_REQUEST_CODE_SUCCESS' ? 'cut' : undefined);
    const error = await failing(ada.client.requestCode(ada.credential));
    expect(error).toMatchObject({ reason: 'connection-lost', mayRetry: true });
  });
});

describe('close', () => {
  test('waits for the answers and the handlers, and then closes', async () => {
    const { ada, bob, groupId } = await pair();
    let isHandled = false;
    ada.client.on('message', async () => {
      await bob.client.send(groupId, 'while ada handles');
      isHandled = true;
    });
    const sent = [ada.client.send(groupId, 'one'), ada.client.send(groupId, 'two')];
    await next(ada, 'message');
    await ada.client.close();
    await Promise.all(sent);
    expect(isHandled).toBe(true);
    expect(ada.client.state).toEqual({ status: 'stopped', code: 1000, reason: '' });
    await heard(bob, ['one', 'two']);
  });

  test('waits no longer than its signal says', async () => {
    const { ada, gate, groupId } = await pair();
    gate.onClientFrame = ({ type }) => (type === 'MESSAGING_SEND_REQUEST' ? 'drop' : undefined);
    const sent = failing(ada.client.send(groupId, 'lost'));
    await until('it is on its way', () => sends(gate).length === 1);
    const controller = new AbortController();
    const closed = ada.client.close({ signal: controller.signal });
    await isClosing(ada);
    controller.abort();
    await closed;
    expect(await sent).toMatchObject({ reason: 'closed' });
  });
});

/** A client that closes takes no more requests, and is open still. */
async function isClosing(member: Member): Promise<void> {
  expect(await failing(member.client.send(1, 'more'))).toMatchObject({ reason: 'closed' });
  expect(member.client.state.status).toBe('signed-in');
}

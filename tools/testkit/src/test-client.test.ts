import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type WebSocket, WebSocketServer } from 'ws';
import { connect, uniqueSid } from './index.ts';

// A gateway that sends what the test tells it to send.
let server: WebSocketServer;
let url: string;

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  for (const socket of server.clients) socket.terminate();
  server.close();
});

async function pair(options = {}) {
  const accepted = once(server, 'connection') as Promise<[WebSocket]>;
  const client = await connect(url, options);
  const [gateway] = await accepted;
  const send = (type: string, payload: object, id = 'g') =>
    gateway.send(JSON.stringify({ id, type, payload }));
  const received: { id: string; type: string; payload: object }[] = [];
  gateway.on('message', (data) => received.push(JSON.parse(String(data))));
  return { client, gateway, send, received };
}

test('a frame that came before a wait for it began is found, once', async () => {
  const { client, send } = await pair();
  send('A', { content: 'one' });
  send('A', { content: 'two' });
  await client.waitFor((frames) => frames.length === 2);
  expect((await client.next('A')).payload.content).toBe('one');
  expect((await client.next('A')).payload.content).toBe('two');
  const third = client.next('A');
  send('A', { content: 'three' });
  expect((await third).payload.content).toBe('three');
});

test('two waits for the same type get one frame each', async () => {
  const { client, send } = await pair();
  const both = Promise.all([client.next('A'), client.next('A')]);
  send('A', { content: 'one' });
  send('A', { content: 'two' });
  expect((await both).map(({ payload }) => payload.content)).toEqual(['one', 'two']);
});

test('a wait that fails says what was received instead', async () => {
  const { client, send } = await pair({ timeoutMs: 5_000 });
  send('B', { content: 'something else' });
  await client.next('B');
  await expect(client.next('A')).rejects.toThrow(
    /waited 5000 ms for A; received so far:\n {2}taken .*something else/,
  );
});

test('a wait ends when the connection is closed, and later ones fail at once', async () => {
  const { client, gateway } = await pair();
  const waiting = client.next('A');
  gateway.close(4408, 'too slow');
  await expect(waiting).rejects.toThrow('the connection closed (4408 too slow); nothing was received');
  await expect(client.next('A')).rejects.toThrow('the connection closed (4408 too slow)');
  expect(await client.closed).toEqual({ code: 4408, reason: 'too slow' });
});

test('an answer is taken by its request, not by what else carries its id', async () => {
  const { client, send } = await pair();
  const answer = client.request('GROUP_CREATE', {}, 'x');
  send('GROUP_DELIVER_REQUEST', { group_id: 1 }, 'x');
  send('GROUP_CREATE_SUCCESS', { group_id: 2 }, 'y');
  send('GROUP_CREATE_SUCCESS', { group_id: 3 }, 'x');
  expect((await answer).payload.group_id).toBe(3);
});

test('deliveries are acknowledged with an id of the client, unless the test says otherwise', async () => {
  const { client, gateway, send, received } = await pair({
    acknowledge: (frame: { type: string }) => frame.type[0] === 'M',
  });
  send('MESSAGING_DELIVER_REQUEST', { message_id: 7 }, 'server-id');
  send('GROUP_DELIVER_REQUEST', { group_id: 8 }, 'server-id');
  await client.next('GROUP_DELIVER_REQUEST');
  client.send('END', {});
  while (received.at(-1)?.type !== 'END') await once(gateway, 'message');
  expect(received[0]).toEqual({ id: '1', type: 'MESSAGING_DELIVER_SUCCESS', payload: { message_id: 7 } });
  expect(received).toHaveLength(2);
});

test('no two users have the same number', () => {
  const sids = Array.from({ length: 1_000 }, uniqueSid);
  expect(new Set(sids).size).toBe(1_000);
  for (const sid of sids) expect(sid).toMatch(/^888\.\d{11}$/);
});

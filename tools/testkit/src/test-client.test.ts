import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type WebSocket, WebSocketServer } from 'ws';
import { connect, uniqueSid } from './index.ts';

// A gateway that says what the test wants it to say.
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
  const say = (type: string, payload: object, id = 'g') =>
    gateway.send(JSON.stringify({ id, type, payload }));
  const heard: { id: string; type: string; payload: object }[] = [];
  gateway.on('message', (data) => heard.push(JSON.parse(String(data))));
  return { client, gateway, say, heard };
}

test('a frame that came before anybody waited for it is found, once', async () => {
  const { client, say } = await pair();
  say('A', { content: 'one' });
  say('A', { content: 'two' });
  await client.waitFor((frames) => frames.length === 2);
  expect((await client.next('A')).payload.content).toBe('one');
  expect((await client.next('A')).payload.content).toBe('two');
  const third = client.next('A');
  say('A', { content: 'three' });
  expect((await third).payload.content).toBe('three');
});

test('two who wait for the same type get one frame each', async () => {
  const { client, say } = await pair();
  const both = Promise.all([client.next('A'), client.next('A')]);
  say('A', { content: 'one' });
  say('A', { content: 'two' });
  expect((await both).map(({ payload }) => payload.content)).toEqual(['one', 'two']);
});

test('a wait that is in vain says what was received instead', async () => {
  const { client, say } = await pair({ patienceMs: 1_000 });
  say('B', { content: 'something else' });
  await client.next('B');
  await expect(client.next('A')).rejects.toThrow(
    /waited 1000 ms: A; received so far:\n {2}taken .*something else/,
  );
});

test('a wait ends when the connection is closed, and later ones fail at once', async () => {
  const { client, gateway } = await pair();
  const waiting = client.next('A');
  gateway.close(4408, 'too slow');
  await expect(waiting).rejects.toThrow('the connection closed: code 4408 too slow; nothing was received');
  await expect(client.next('A')).rejects.toThrow('the connection is closed: code 4408 too slow');
  expect(await client.closed).toEqual({ code: 4408, reason: 'too slow' });
});

test('an answer is taken by its request, not by what else carries its id', async () => {
  const { client, say } = await pair();
  const answer = client.request('GROUP_CREATE', {}, 'x');
  say('GROUP_DELIVER_REQUEST', { group_id: 1 }, 'x');
  say('GROUP_CREATE_SUCCESS', { group_id: 2 }, 'y');
  say('GROUP_CREATE_SUCCESS', { group_id: 3 }, 'x');
  expect((await answer).payload.group_id).toBe(3);
});

test('deliveries are acknowledged with an id of the client, unless they shall not', async () => {
  const { client, gateway, say, heard } = await pair({
    acknowledge: (frame: { type: string }) => frame.type[0] === 'M',
  });
  say('MESSAGING_DELIVER_REQUEST', { message_id: 7 }, 'server-id');
  say('GROUP_DELIVER_REQUEST', { group_id: 8 }, 'server-id');
  await client.next('GROUP_DELIVER_REQUEST');
  client.send('END', {});
  while (heard.at(-1)?.type !== 'END') await once(gateway, 'message');
  expect(heard[0]).toEqual({ id: '1', type: 'MESSAGING_DELIVER_SUCCESS', payload: { message_id: 7 } });
  expect(heard).toHaveLength(2);
});

test('no two people have the same number', () => {
  const sids = Array.from({ length: 1_000 }, uniqueSid);
  expect(new Set(sids).size).toBe(1_000);
  for (const sid of sids) expect(sid).toMatch(/^888\.\d{11}$/);
});

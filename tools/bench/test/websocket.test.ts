import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { loadUws, type uWS as types } from '@hooligram/uws';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type WebSocket, WebSocketServer } from 'ws';
import { LoadWebSocket } from '../src/load/websocket.ts';

const http = createServer();
const server = new WebSocketServer({
  server: http,
  perMessageDeflate: false,
  verifyClient: ({ req }, decide) => decide(req.url !== '/refused', 503),
});
let port = 0;
let proxy: FaultyTcpProxy | undefined;

beforeAll(async () => {
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  ({ port } = http.address() as AddressInfo);
});

afterEach(async () => {
  for (const socket of server.clients) socket.terminate();
  await proxy?.stop();
  proxy = undefined;
});

afterAll(async () => {
  server.close();
  http.close();
  await once(http, 'close');
});

/** A connection of the load generator, and the texts that it received. */
function open(url: string) {
  const received: string[] = [];
  let atLeast = 0;
  let reached = () => {};
  let opened = () => {};
  let ended: (reason: string) => void = () => {};
  const isOpen = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const closed = new Promise<string>((resolve) => {
    ended = resolve;
  });
  const socket = new LoadWebSocket(url, {
    onOpen: () => opened(),
    onText(chunk, start, end) {
      received.push(chunk.slice(start, end));
      if (received.length >= atLeast) reached();
    },
    onClose: (reason) => ended(reason),
  });
  const whenReceived = (count: number) =>
    new Promise<string[]>((resolve) => {
      atLeast = count;
      reached = () => resolve(received);
      if (received.length >= count) resolve(received);
    });
  return { socket, isOpen, closed, whenReceived };
}

async function accepted(): Promise<WebSocket> {
  const [socket] = (await once(server, 'connection')) as [WebSocket];
  return socket;
}

const textOf = (length: number) =>
  Array.from({ length }, (_, at) => String.fromCharCode(33 + (at % 90))).join('');
const short = [0, 1, 2, 124, 125, 126, 127, 128, 300];
const long = [65_534, 65_535, 65_536, 65_537, 300_000];

test.each([
  ['of one byte', 1, short],
  ['of two bytes', 2, short],
  ['of three bytes', 3, short],
  ['of seven bytes', 7, short],
  ['of 127 bytes', 127, short],
  ['of 4,093 bytes', 4_093, [...short, ...long]],
  ['as large as they come', 1_000_000, [...short, ...long]],
])('frames of every form of length are whole when they come in pieces %s', async (_, pieceBytes, lengths) => {
  proxy = await FaultyTcpProxy.start(`ws://127.0.0.1:${port}`, { pieceBytes });
  const connection = accepted();
  const client = open(`ws://127.0.0.1:${proxy.port}/`);
  const texts = lengths.map(textOf);
  const peer = await connection;
  for (const text of texts) peer.send(text);
  expect(await client.whenReceived(texts.length)).toEqual(texts);
});

test('a text that comes in fragments, with a ping between them, is whole', async () => {
  const connection = accepted();
  const client = open(`ws://127.0.0.1:${port}/`);
  const peer = await connection;
  peer.send('before');
  for (const [at, part] of ['in ', 'three ', 'parts'].entries()) {
    peer.send(part, { fin: at === 2 });
    if (at === 0) peer.ping();
  }
  peer.send('behind');
  expect(await client.whenReceived(3)).toEqual(['before', 'in three parts', 'behind']);
});

test('a ping is answered with a pong of the same content', async () => {
  const connection = accepted();
  open(`ws://127.0.0.1:${port}/`);
  const peer = await connection;
  peer.ping('are you there');
  const [content] = await once(peer, 'pong');
  expect(String(content)).toBe('are you there');
});

test("the reason of a close has the server's code and text", async () => {
  const connection = accepted();
  const client = open(`ws://127.0.0.1:${port}/`);
  (await connection).close(4_001, 'go away');
  expect(await client.closed).toBe('closed with 4001 go away');
});

test('a connection that is cut has that as its reason', async () => {
  const connection = accepted();
  const client = open(`ws://127.0.0.1:${port}/`);
  (await connection).terminate();
  expect(await client.closed).toMatch(/^(connection lost|read ECONNRESET)$/);
});

test('a refused upgrade has the answer of the server as its reason', async () => {
  expect(await open(`ws://127.0.0.1:${port}/refused`).closed).toBe(
    'the server answered HTTP/1.1 503 Service Unavailable',
  );
});

test('a client that disconnects closes with 1000', async () => {
  const connection = accepted();
  const client = open(`ws://127.0.0.1:${port}/`);
  const peer = await connection;
  await client.isOpen;
  client.socket.close();
  const [code] = await once(peer, 'close');
  expect(code).toBe(1_000);
});

test('uWebSockets.js receives every text as it was sent, and in order', async () => {
  const { uWS } = loadUws();
  const app = uWS.App().ws('/v2', {
    maxPayloadLength: 1024 * 1024,
    maxBackpressure: 16 * 1024 * 1024,
    message: (ws, bytes, isBinary) => void ws.send(bytes, isBinary),
  });
  const listening = await new Promise<types.us_listen_socket | false>((resolve) => {
    app.listen('127.0.0.1', 0, resolve);
  });
  if (!listening) throw new Error('no port');
  const client = open(`ws://127.0.0.1:${uWS.us_socket_local_port(listening)}/v2`);
  await client.isOpen;
  const texts = [...short, 65_534, 65_535].map(textOf);
  for (const text of texts) client.socket.send(text);
  expect(await client.whenReceived(texts.length)).toEqual(texts);
  expect(() => client.socket.send(textOf(65_536))).toThrow(RangeError);
  client.socket.close();
  await client.closed;
  uWS.us_listen_socket_close(listening);
});

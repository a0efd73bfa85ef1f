import { once } from 'node:events';
import type { Socket } from 'node:net';
import {
  connect,
  metrics,
  type ServiceProcess,
  startSystem,
  type TestClient,
  type TestSystem,
  uniqueSid,
} from '@hooligram/testkit';
import { runnableUws } from '@hooligram/uws';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { metric } from './fixture.ts';
import { ask, clientFrame, upgradeRequest } from './raw-http.ts';

let system: TestSystem;

beforeAll(async () => {
  // Nothing comes twice because a busy machine acknowledged it late.
  system = await startSystem({ gateways: 0, cores: 1, env: { DELIVERY_ACK_DEADLINE_MS: '600000' } });
});

afterAll(() => system?.stop());

const text = 1;
const continuation = 0;
const ping = 9;
const keepAlive = (id: string) => JSON.stringify({ id, type: 'CONN_KEEP_ALIVE_REQUEST', payload: {} });
const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`X-Proxy-${at}`, 'x']));

type Head = { readonly isLast: boolean; readonly opcode: number; readonly bytes: number };

/** Reads the heads of the frames that a server sends from now on (RFC 6455, 5.2). */
function headsOf(webSocket: TestClient['socket']): () => Head[] {
  const chunks: Buffer[] = [];
  const { _socket } = webSocket as unknown as { _socket: Socket };
  _socket.on('data', (bytes) => chunks.push(bytes));
  return () => {
    const bytes = Buffer.concat(chunks);
    const heads: Head[] = [];
    for (let at = 0; at < bytes.length; ) {
      const [first = 0, short = 0] = bytes.subarray(at);
      const length =
        short < 126 ? short : bytes.readUIntBE(at + (short === 126 ? 2 : 4), short === 126 ? 2 : 6);
      heads.push({ isLast: first >= 0x80, opcode: first & 0x0f, bytes: length });
      at += length + (short < 126 ? 2 : short === 126 ? 4 : 10);
    }
    return heads;
  };
}

describe.each(runnableUws())('on uWebSockets.js %s', (UWEBSOCKETS) => {
  let gateway: ServiceProcess;

  beforeAll(async () => {
    gateway = await system.addGateway({ UWEBSOCKETS, IDLE_TIMEOUT_SECONDS: '8' });
  });

  /** A connection whose bytes are the test's own. */
  async function upgraded() {
    const { status, socket } = await ask(gateway.url, upgradeRequest());
    expect(status).toBe(101);
    return socket;
  }

  test('the log and the metric build_info say which one is loaded', async () => {
    expect(gateway.log()).toMatch(new RegExp(`"uwebsockets":"${UWEBSOCKETS.replace('.', '\\.')}`));
    expect(await metric(gateway, 'build_info')).toBe(1);
    expect((await metrics(gateway.adminUrl)).text).toContain(`uwebsockets="${UWEBSOCKETS}`);
  });

  test.each([
    [
      'names of headers in small letters',
      upgradeRequest().replace(/^[A-Z][\w-]+:/gm, (name) => name.toLowerCase()),
    ],
    [
      'other words in Connection and other capitals',
      upgradeRequest({ Upgrade: 'WebSocket', Connection: 'keep-alive, Upgrade' }),
    ],
    ['several protocols in Upgrade', upgradeRequest({ Upgrade: 'foo/2, websocket' })],
    ['a query', upgradeRequest({ path: '/v2?x=y' })],
    ['an empty header, and one with an accent', upgradeRequest({ 'X-Empty': '', 'X-Name': 'é' })],
    ['forty headers of proxies', upgradeRequest(many(40))],
  ])('an upgrade is taken with %s', async (_, request) => {
    const { status, socket } = await ask(gateway.url, request);
    expect(status).toBe(101);
    socket.destroy();
  });

  // What docs/protocol.md promises for each, and what 20.57 takes on top of it.
  test.each(UWEBSOCKETS === '20.30' ? [3_500] : [3_500, 30_000])(
    'an upgrade with %i bytes of cookies in small pieces is taken',
    async (bytes) => {
      const { status, socket } = await ask(gateway.url, upgradeRequest({ Cookie: 'c'.repeat(bytes) }), 1_400);
      expect(status).toBe(101);
      socket.destroy();
    },
  );

  test('the first sub-protocol that a client offers is named to it, and an extension that it offers is not', async () => {
    const offers = {
      'Sec-WebSocket-Protocol': 'chat, superchat',
      'Sec-WebSocket-Extensions': 'permessage-deflate',
    };
    const { status, headers, socket } = await ask(gateway.url, upgradeRequest(offers));
    expect(status).toBe(101);
    expect(headers['sec-websocket-protocol']).toBe('chat');
    expect(headers).not.toHaveProperty('sec-websocket-extensions');
    socket.destroy();
  });

  test.each([
    ['another version of WebSocket', { 'Sec-WebSocket-Version': '8' }, /Sec-WebSocket-Version/],
    ['no version of WebSocket', { 'Sec-WebSocket-Version': undefined }, /Sec-WebSocket-Version/],
    ['no Upgrade, which a proxy took away', { Upgrade: undefined, Connection: undefined }, /proxy/],
    ['another protocol in Upgrade', { Upgrade: 'h2c' }, /proxy/],
    ['no key', { 'Sec-WebSocket-Key': undefined }, /Connect to/],
    ['a key of another length', { 'Sec-WebSocket-Key': 'abc' }, /Connect to/],
    ['the method POST', { method: 'POST', 'Content-Length': '0' }, /Connect to/],
  ])('an upgrade with %s is told what is needed', async (_, changes, told) => {
    const { status, headers, body, socket } = await ask(gateway.url, upgradeRequest(changes));
    expect(status).toBe(426);
    expect(headers).toMatchObject({ upgrade: 'websocket', 'sec-websocket-version': '13' });
    expect(body).toMatch(told);
    socket.destroy();
  });

  test.each([
    ['two headers Content-Length', upgradeRequest({ 'Content-Length': '3\r\nContent-Length: 4' })],
    ['a body', `${upgradeRequest({ 'Content-Length': '3' })}abc`],
    ['a body in chunks', `${upgradeRequest({ 'Transfer-Encoding': 'chunked' })}0\r\n\r\n`],
    ['two headers Host', upgradeRequest({ Host: 'one\r\nHost: other' })],
  ])('an upgrade with %s is refused', async (_, request) => {
    const { status, socket } = await ask(gateway.url, request);
    // 20.57 refuses some of them before they come here, and closes.
    expect([400, 0]).toContain(status);
    socket.destroy();
  });

  test('HEAD gets no body: the next answer on the connection is whole', async () => {
    const request = 'HEAD /v2 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /v2 HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const { status, body, socket } = await ask(gateway.url, request);
    expect(status).toBe(426);
    expect(body).toMatch(/^HTTP\/1\.1 426 /);
    socket.destroy();
  });

  test('what this HTTP server does not take gets no connection, but an answer that says why, or a close', async () => {
    const requests = {
      'version 1.0': upgradeRequest({ version: '1.0' }),
      'an absolute URI': upgradeRequest({ path: 'http://localhost/v2' }),
      'three hundred headers': upgradeRequest(many(300)),
      'no HTTP': '\u0016\u0003\u0001\u0002\u0000hello\r\n\r\n',
    };
    const answers = await Promise.all(Object.values(requests).map((request) => ask(gateway.url, request)));
    // 20.30 knows only one of them; it closes the connection after ten seconds.
    const told = UWEBSOCKETS === '20.30' ? [0, 0, 0, 0] : [505, 505, 431, 505];
    expect(answers.map(({ status }) => status)).toEqual(told);
  });

  test('a frame in pieces with a ping in between is one frame, and one with a byte order mark is taken', async () => {
    const client = await connect(gateway.url);
    const socket = await upgraded();
    const frame = keepAlive('pieces');
    const answer = once(socket, 'data');
    socket.write(clientFrame(text, frame.slice(0, 10), false));
    socket.write(clientFrame(ping, 'p'));
    socket.write(clientFrame(continuation, frame.slice(10)));
    let heard = String((await answer)[0]);
    while (!heard.includes('CONN_KEEP_ALIVE_SUCCESS')) heard += String((await once(socket, 'data'))[0]);
    expect(heard).toContain('"pieces"');
    client.sendRaw(`\ufeff${keepAlive('marked')}`);
    await client.next(({ id }) => id === 'marked');
    socket.destroy();
    client.terminate();
  });

  test('a frame that is not masked is read as if it were, and is a bad one: what it says has no effect', async () => {
    const socket = await upgraded();
    const said = Buffer.from(keepAlive('unmasked'));
    const answer = once(socket, 'data');
    // In the place of the mask are its first four bytes, so four more make it whole.
    socket.write(Buffer.concat([Buffer.from([0x81, said.length]), said, Buffer.alloc(4)]));
    const heard = String((await answer)[0]);
    expect(heard).toContain('CONN_FRAME_FAILURE');
    expect(heard).not.toContain('unmasked');
    socket.destroy();
  });

  test('bytes that are no UTF-8 are a bad frame in a binary message, and end the connection in a text message', async () => {
    const client = await connect(gateway.url);
    client.sendRaw(Buffer.from([0xff, 0xfe]));
    expect((await client.next('CONN_FRAME_FAILURE')).payload.errors).toEqual(['frame: must be UTF-8']);
    await client.roundTrip();
    const socket = await upgraded();
    const ended = once(socket, 'close');
    socket.write(clientFrame(text, Buffer.from([0xff, 0xfe])));
    await ended;
    await client.roundTrip();
    client.terminate();
  });

  test.each([
    ['published to all who are there', 0],
    ['sent to one who comes back', 1],
  ])(
    'a long message that is %s comes in fragments of which none makes the server keep memory, between the others',
    async (_, late) => {
      const [ada, bob] = [await connect(gateway.url), await connect(gateway.url)];
      const [adaSid, bobSid] = [uniqueSid(), uniqueSid()];
      await ada.signIn(adaSid);
      await bob.signIn(bobSid);
      const { payload } = await ada.requestOk('GROUP_CREATE', {
        ...{ group_name: '', member_sids: [adaSid, bobSid] },
      });
      await bob.next('GROUP_DELIVER_REQUEST');
      let reader = bob;
      if (late) bob.terminate();
      const contents = ['before', '→'.repeat(20_000), 'behind'];
      for (const content of late ? contents : []) {
        await ada.requestOk('MESSAGING_SEND', { group_id: payload.group_id, content });
      }
      if (late) reader = await connect(gateway.url);
      const heads = headsOf(reader.socket);
      if (late) await reader.authorize(bobSid);
      for (const content of late ? [] : contents) {
        await ada.requestOk('MESSAGING_SEND', { group_id: payload.group_id, content });
      }
      for (const content of contents) {
        expect((await reader.next('MESSAGING_DELIVER_REQUEST')).payload.content).toBe(content);
      }
      const fragmented = heads().filter(({ isLast, opcode }) => !isLast || opcode === continuation);
      expect(fragmented.map(({ isLast, opcode }) => [isLast, opcode])).toEqual([
        [false, text],
        [false, continuation],
        [false, continuation],
        [true, continuation],
      ]);
      for (const { bytes } of heads()) expect(bytes).toBeLessThan(16 * 1_024);
      for (const client of [ada, reader]) client.terminate();
    },
  );

  test('a silent client is sent a ping; one that does not answer it is closed, one that answers stays', async () => {
    const answering = await connect(gateway.url);
    const pinged = once(answering.socket, 'ping');
    const silent = await upgraded();
    const heard: Buffer[] = [];
    silent.on('data', (bytes) => heard.push(bytes));
    await Promise.all([once(silent, 'close'), pinged]);
    // A ping without data, and nothing else.
    expect(Buffer.concat(heard).toString('hex')).toBe('8900');
    await answering.roundTrip();
    answering.terminate();
  });
});

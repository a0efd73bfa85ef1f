import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { freePorts, until } from '@hooligram/testkit';
import { loadUws } from '@hooligram/uws';
import { afterEach, expect, test } from '@jest/globals';
import { ask, clientFrame, type RawAnswer, upgradeRequest } from '../test/raw-http.ts';
import { TrustedProxies } from './client-address.ts';
import { HandshakeLine } from './handshake-line.ts';
import { SocketBuffers } from './socket-buffers.ts';
import { WebSocketServer } from './websocket-server.ts';

const open: Socket[] = [];
const stop: (() => void)[] = [];

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
  for (const each of stop.splice(0)) each();
});

/** A server that lets one handshake in each time that it is told to look, after a first one. */
async function fixture({ waitingMax = 100, waitMaxMs = 60_000 } = {}) {
  const [port = 0] = await freePorts(1);
  const clock = { nowMs: 0 };
  const refused: string[] = [];
  const received: string[] = [];
  const count = { open: 0, closed: 0 };
  const handshakes = new HandshakeLine(
    { perSecondMax: 10, waitingMax, waitMaxMs, lateMaxMs: 5, onLetIn: () => {} },
    { begin: () => {}, end: () => {}, isNoticed: () => true },
    () => clock.nowMs,
  );
  const server = new WebSocketServer(loadUws(), new SocketBuffers(1_000_000));
  server.serve({
    path: '/v2',
    frameBytesReadMax: 65_536,
    backpressureMaxBytes: 65_536,
    idleTimeoutSeconds: 40,
    trustedProxies: new TrustedProxies([]),
    allowedOrigins: ['*'],
    handshakes,
    onOpen: () => {
      count.open += 1;
      return {
        onMessage: (bytes) => void received.push(Buffer.from(bytes).toString()),
        onClose() {
          count.closed += 1;
        },
      };
    },
    onSlow: () => {},
    refusalOf: () => undefined,
    delayMsOf: () => 0,
    onForwardedIgnored: () => {},
    onUpgradeRefused: (reason) => void refused.push(reason),
    onClosed: () => {},
  });
  await server.listen('127.0.0.1', port, { isShared: false });
  stop.push(() => server.stopListening());
  const answers: string[] = [];
  const come = async (name: string): Promise<RawAnswer> => {
    const answer = await ask(`ws://127.0.0.1:${port}/v2`, upgradeRequest());
    open.push(answer.socket);
    answers.push(`${name} ${answer.status}`);
    return answer;
  };
  /** Asks, and resolves when it stands in the line. */
  const stand = async (name: string): Promise<{ answer: Promise<RawAnswer> }> => {
    const place = handshakes.waiting + 1;
    const answer = come(name);
    await until(`${name} waits`, () => handshakes.waiting === place);
    return { answer };
  };
  const look = () => {
    clock.nowMs += 100;
    handshakes.look(clock.nowMs, 0);
  };
  return { server, handshakes, clock, refused, received, count, answers, come, stand, look };
}

test('a handshake on an idle gateway is upgraded at once, and those beyond the rate wait and are upgraded in their order', async () => {
  const { handshakes, received, count, answers, come, stand, look } = await fixture();
  await come('first');
  const [second, third] = [await stand('second'), await stand('third')];
  expect([answers, count.open]).toEqual([['first 101'], 1]);
  look();
  const { socket } = await second.answer;
  expect([answers, handshakes.waiting]).toEqual([['first 101', 'second 101'], 1]);
  look();
  await third.answer;
  expect([count.open, handshakes.waiting]).toEqual([3, 0]);
  // It is a connection like any other.
  socket.write(clientFrame(1, 'hello'));
  await until('its frame', () => received.includes('hello'));
  socket.destroy();
  await until('its end', () => count.closed === 1);
});

test('a client that goes while it waits is forgotten, and the next one has its turn', async () => {
  const { handshakes, refused, count, come, stand, look, answers } = await fixture();
  const { socket } = await come('first');
  const port = socket.remotePort as number;
  const gone = connect(port, '127.0.0.1');
  await once(gone, 'connect');
  gone.write(upgradeRequest());
  await until('it waits', () => handshakes.waiting === 1);
  const second = await stand('second');
  gone.destroy();
  await until('it is forgotten', () => handshakes.waiting === 1);
  look();
  await second.answer;
  look();
  expect([answers, refused, count.open]).toEqual([['first 101', 'second 101'], [], 2]);
});

test('one more than may wait, and one that has waited too long, get 503 and learn when to come back', async () => {
  const { handshakes, refused, clock, come, stand } = await fixture({ waitingMax: 1, waitMaxMs: 50 });
  await come('first');
  const waiting = await stand('second');
  const beyond = await come('third');
  clock.nowMs = 50;
  handshakes.look(clock.nowMs, 0);
  const late = await waiting.answer;
  for (const { status, headers, body } of [beyond, late]) {
    expect([status, body]).toEqual([503, 'Too many connect at once. Connect again.\n']);
    const seconds = Number(headers['retry-after']);
    expect(Number.isInteger(seconds) && seconds >= 1 && seconds <= 10).toBe(true);
  }
  expect(refused).toEqual(['line full', 'waited']);
});

test('a gateway that stops refuses those who wait at once, and keeps whom it has', async () => {
  const { server, handshakes, refused, count, come, stand } = await fixture();
  await come('first');
  const [second, third] = [await stand('second'), await stand('third')];
  server.stopListening();
  for (const { answer } of [second, third]) {
    const { status, body } = await answer;
    expect([status, body]).toEqual([503, 'This gateway is stopping. Connect again.\n']);
  }
  expect([refused, handshakes.waiting, count]).toEqual([['stopping', 'stopping'], 0, { open: 1, closed: 0 }]);
});

import { createMetrics, type Log } from '@hooligram/service';
import { patienceMs, silentLog, until } from '@hooligram/testkit';
import { expect, jest, test } from '@jest/globals';
import type { ClientSocket } from './client-socket.ts';
import type { GatewayContext } from './context.ts';
import { FrameTurns } from './frame-turns.ts';
import { ClientLimits } from './limits/client-limits.ts';
import { gatewayLimitsConfig } from './limits/config.ts';
import { createGatewayMetrics } from './metrics.ts';
import { RequestBudget } from './request-budget.ts';
import { type Dispatcher, Session } from './session.ts';

const signIn = (id: number) =>
  Buffer.from(
    `{"id":"${id}","type":"AUTHORIZATION_SIGN_IN_REQUEST","payload":{"country_code":"1","phone_number":"2025550100","verification_code":"000000"}}`,
  );

test('requests that are answered without a wait are handled a few in each turn of the event loop, in their order', async () => {
  const socket = { isOpen: true, sendLater() {} } as unknown as ClientSocket;
  const context = {
    config: { SESSION_QUEUE_MAX: 1_000 },
    metrics: createGatewayMetrics(createMetrics({ role: 'gateway' })),
    frameTurns: new FrameTurns(),
    requestBudget: new RequestBudget({ connectionBytesMax: 1_000_000, gatewayBytesMax: 4_000_000 }),
  } as unknown as GatewayContext;
  const handled: number[] = [];
  const dispatcher: Dispatcher = {
    handleRequest(_, __, { id }) {
      handled.push(Number(id));
    },
    handleAcknowledgement() {},
    burstMaxOf: () => 1,
  };
  const session = new Session(context, socket, dispatcher, new Set());
  for (let id = 0; id < 200; id += 1) {
    const bytes = signIn(id);
    session.onMessage(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
    );
  }
  const perTurn: number[] = [];
  const endsAt = Date.now() + patienceMs;
  while (handled.length < 200 && Date.now() < endsAt) {
    const before = handled.length;
    await new Promise((resolve) => setImmediate(resolve));
    perTurn.push(handled.length - before);
  }
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(32);
  expect(handled).toEqual(Array.from({ length: 200 }, (_, id) => id));
});

test('frames that wait hold what they take of the budget, and nothing when one of them closes the connection', async () => {
  const requestBudget = new RequestBudget({ connectionBytesMax: 1_000_000, gatewayBytesMax: 4_000_000 });
  const frameTurns = new FrameTurns();
  const context = {
    config: { SESSION_QUEUE_MAX: 1_000, BAD_FRAMES_MAX: 60, BAD_FRAMES_WINDOW_MS: 600_000 },
    metrics: createGatewayMetrics(createMetrics({ role: 'gateway' })),
    signIns: { leaveLine() {} },
    frameTurns,
    requestBudget,
    log: silentLog,
  } as unknown as GatewayContext;
  const socket = { isOpen: true, address: '203.0.113.7', sendLater() {}, end: () => close() };
  const dispatcher = { handleRequest() {}, handleAcknowledgement() {}, burstMaxOf: () => 1 } as Dispatcher;
  const session = new Session(context, socket as unknown as ClientSocket, dispatcher, new Set());
  // As uWebSockets.js does: within the call that ends it.
  const close = () => {
    socket.isOpen = false;
    session.onClose();
  };
  for (let n = 0; n < 200; n += 1) session.onMessage(new ArrayBuffer(0));
  expect(frameTurns.waiting).toBeGreaterThan(100);
  expect(requestBudget.bytes).toBeGreaterThanOrEqual(frameTurns.waiting * 200);
  await until('no frame waits', () => frameTurns.waiting === 0);
  expect(socket.isOpen).toBe(false);
  expect(requestBudget.bytes).toBe(0);
});

test('nothing larger than 64 KiB is parsed: what the server has sent is ignored, beyond every limit, too, and all else closes its connection', () => {
  const metrics = createGatewayMetrics(createMetrics({ role: 'gateway' }));
  const closed: number[] = [];
  const user = { userId: 1, connections: [] };
  const context = {
    metrics,
    frameTurns: new FrameTurns(),
    users: { signIn: () => ({ user }) },
    clientLimits: new ClientLimits(gatewayLimitsConfig.parse({}), metrics, silentLog as unknown as Log),
  } as unknown as GatewayContext;
  const socket = {
    isOpen: true,
    address: '203.0.113.7',
    end: ({ code }: { code: number }) => closed.push(code),
  };
  const dispatcher = { handleRequest() {}, handleAcknowledgement() {}, burstMaxOf: () => 1 } as Dispatcher;
  const session = new Session(context, socket as unknown as ClientSocket, dispatcher, new Set());
  session.signInAs(1, '1.2025550100');
  const send = (start: string) => {
    const frame = new TextEncoder().encode(`${start},"payload":{"text":"${'x'.repeat(1_000_000)}"}}`);
    session.onMessage(frame.buffer as ArrayBuffer);
  };
  const parse = jest.spyOn(JSON, 'parse');
  for (let times = 0; times < 10; times += 1) {
    send('{"id":"1","type":"MESSAGING_DELIVER_REQUEST"');
    send('{"type":"GROUP_DELIVER_REQUEST","id":"1"');
  }
  expect(closed).toEqual([]);
  expect(metrics.framesIgnored('server-type').count).toBe(20);
  send('{"id":"1","type":"MESSAGING_SEND_REQUEST"');
  send('{"type":"MESSAGING_SEND_REQUEST","id":"1"');
  expect(closed).toEqual([1009, 1009]);
  expect(parse).not.toHaveBeenCalled();
  parse.mockRestore();
});

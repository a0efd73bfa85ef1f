import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { pairOf } from './disconnect.ts';
import { createFixture, heard, type Member, takeTheClock, until } from './fixture.ts';
import type { FrameGate } from './frame-gate.ts';

const fixture = createFixture({ gateways: 1, cores: 1 });

/** What a browser has and Node has not: the SDK finds it when a client is made. */
const page = new EventTarget();
const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
const connection = new EventTarget();

beforeEach(() => {
  Object.assign(globalThis, { addEventListener: page.addEventListener.bind(page), document });
  Object.defineProperty(globalThis, 'navigator', { value: { connection }, configurable: true });
});

afterEach(() => {
  jest.useRealTimers();
  for (const name of ['addEventListener', 'document', 'navigator']) Reflect.deleteProperty(globalThis, name);
});

const keepAlives = ({ fromClients }: FrameGate) =>
  fromClients.filter(
    ({ type, payload }) => type === 'CONN_KEEP_ALIVE_REQUEST' && !('after_groups' in payload),
  );

/** Ada, whose connection has been quiet for a while; the test has the clock. */
async function quiet(options = {}) {
  const { ada, bob, gate, groupId } = await pairOf(fixture, options);
  takeTheClock();
  // What is timed by the test from here on: what the connection waits for is asked anew.
  ada.client.connect();
  await answered(gate, ada);
  jest.advanceTimersByTime(3_000);
  return { ada, bob, gate, groupId };
}

/** All keep-alives were answered, and the answers read: what is sent behind them came back. */
async function answered(gate: FrameGate, { client }: Member): Promise<void> {
  const asked = gate.fromClients.length;
  const code = client.submitCode('000000').catch(() => undefined);
  await until('it is through', () => gate.fromClients.length > asked);
  await code;
}

/** Until an idle connection looks at the clock. */
function look(): void {
  jest.advanceTimersByTime(5_000);
}

const reasons: readonly [string, () => unknown][] = [
  ['the page is shown', () => document.dispatchEvent(new Event('visibilitychange'))],
  ['the page is thawed', () => document.dispatchEvent(new Event('resume'))],
  ['the page is taken from the back-forward cache', () => page.dispatchEvent(new Event('pageshow'))],
  ['the page gets the focus', () => page.dispatchEvent(new Event('focus'))],
  ['the network is back', () => page.dispatchEvent(new Event('online'))],
  ['the network goes', () => page.dispatchEvent(new Event('offline'))],
  ['the network is another one', () => connection.dispatchEvent(new Event('change'))],
  [
    'the clock has jumped, as it does when a machine slept',
    () => {
      jest.setSystemTime(Date.now() + 3_600_000);
      look();
    },
  ],
];

describe('a connection that died without a word', () => {
  test.each(reasons)('is replaced at once when %s', async (_, happens) => {
    const { ada, bob, gate, groupId } = await quiet();
    gate.lose();
    happens();
    jest.advanceTimersByTime(2_999);
    expect(ada.client.state.status).toBe('signed-in');
    jest.advanceTimersByTime(1);
    expect(ada.client.state).toEqual({
      status: 'waiting',
      code: 1006,
      reason: 'no answer to a keep-alive',
      retryInMs: 0,
    });
    jest.advanceTimersByTime(1);
    await until('there is a new one', () => ada.client.state.status === 'signed-in');
    await ada.client.send(groupId, 'here again');
    await heard(bob, ['here again']);
  });

  test('is replaced at once when something is sent after a long quiet, and that arrives', async () => {
    const { ada, bob, gate, groupId } = await quiet();
    gate.lose();
    look();
    jest.advanceTimersByTime(1_000);
    const sent = ada.client.send(groupId, 'is anybody there?');
    await new Promise((resolve) => setImmediate(resolve));
    jest.advanceTimersByTime(3_000);
    expect(ada.client.state).toMatchObject({ status: 'waiting', code: 1006, retryInMs: 0 });
    jest.advanceTimersByTime(1);
    await sent;
    await heard(bob, ['is anybody there?']);
  });
});

describe('a connection that lives', () => {
  test('is kept when it is doubted, and asked once however many reasons there are', async () => {
    const { ada, gate } = await quiet();
    const before = keepAlives(gate).length;
    for (const [, happens] of reasons.slice(0, -1)) happens();
    await answered(gate, ada);
    expect(keepAlives(gate).length).toBe(before + 1);
    jest.advanceTimersByTime(3_000);
    expect([ada.client.state.status, gate.connections]).toEqual(['signed-in', 1]);
  });

  test('is sent nothing while it is idle, but a keep-alive each half minute', async () => {
    const { ada, gate } = await quiet();
    const before = gate.fromClients.length;
    jest.advanceTimersByTime(26_000);
    jest.advanceTimersByTime(1_000);
    await until('it is asked', () => gate.fromClients.length > before);
    expect(gate.fromClients.slice(before).map(({ type }) => type)).toEqual(['CONN_KEEP_ALIVE_REQUEST']);
    expect(ada.client.state.status).toBe('signed-in');
  });

  test('is not given up for an answer that waited to be read while nothing ran here', async () => {
    const { ada, gate } = await quiet();
    const before = keepAlives(gate).length;
    gate.hold();
    ada.client.connect();
    await until('it is asked', () => keepAlives(gate).length === before + 1);
    // The machine sleeps; what comes first afterwards is the timer, and then the answer.
    jest.setSystemTime(Date.now() + 3_600_000);
    jest.advanceTimersByTime(3_000);
    expect(ada.client.state.status).toBe('signed-in');
    gate.release();
    await answered(gate, ada);
    jest.advanceTimersByTime(3_000);
    expect([ada.client.state.status, gate.connections]).toEqual(['signed-in', 1]);
  });
});

test('a connection that the server ended for good does not come back because the page is shown', async () => {
  const { ada, gate } = await quiet();
  gate.close(1008, 'too many bad frames');
  await until('it ended', () => ada.client.state.status === 'stopped');
  for (const [, happens] of reasons) happens();
  expect(ada.client.state.status).toBe('stopped');
});

test.each([4429, 4409])('a client that was told to wait (%d) waits, whatever it hears', async (code) => {
  const { ada, gate } = await quiet();
  gate.close(code);
  await until('it waits', () => ada.client.state.status === 'waiting');
  for (const [, happens] of reasons.slice(0, -1)) happens();
  const { state } = ada.client;
  expect([state.status, gate.attempts]).toEqual(['waiting', 1]);
  jest.advanceTimersByTime('retryInMs' in state ? state.retryInMs : 0);
  await until('it is back', () => ada.client.state.status === 'signed-in');
});

test('a client that waits for its next try begins it when the network is back', async () => {
  const { ada, gate } = await quiet();
  gate.close(1001);
  await until('it waits', () => ada.client.state.status === 'waiting');
  page.dispatchEvent(new Event('online'));
  await until('it is back', () => ada.client.state.status === 'signed-in');
});

test('a try that leads nowhere is given up for another one when there is a reason to try', async () => {
  const { ada, gate } = await quiet();
  gate.isMute = true;
  gate.close(1001);
  await until('it waits', () => ada.client.state.status === 'waiting');
  page.dispatchEvent(new Event('online'));
  await until('it tries', () => gate.attempts === 2);
  gate.isMute = false;
  page.dispatchEvent(new Event('focus'));
  jest.advanceTimersByTime(5_001);
  page.dispatchEvent(new Event('focus'));
  await until('it is back', () => ada.client.state.status === 'signed-in');
  expect(gate.attempts).toBe(3);
});

test('a client that was closed leaves no timer and hears no events', async () => {
  const { ada, gate } = await quiet();
  await ada.client.close();
  expect(jest.getTimerCount()).toBe(0);
  for (const [, happens] of reasons.slice(0, -1)) happens();
  expect([ada.client.state.status, gate.connections]).toEqual(['stopped', 1]);
});

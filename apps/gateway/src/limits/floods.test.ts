import { createLog, createMetrics } from '@hooligram/service';
import { afterEach, expect, jest, test } from '@jest/globals';
import { createGatewayMetrics } from '../metrics.ts';
import { ClientLimits } from './client-limits.ts';
import { gatewayLimitsConfig } from './config.ts';
import { Traffic } from './traffic.ts';

afterEach(() => void jest.useRealTimers());

/** Limits as they are without configuration, and a connection that counts how often it is closed. */
function defaults() {
  const metrics = createGatewayMetrics(createMetrics({ role: 'gateway' }));
  const log = createLog({ name: 'gateway', destination: { write() {} } });
  const limits = new ClientLimits(gatewayLimitsConfig.parse({}), metrics, log);
  const closed: number[] = [];
  const socket = { address: '203.0.113.7', end: ({ code }: { code: number }) => closed.push(code) };
  return { limits, socket, closed };
}

test('a client that goes on acknowledging what nobody sent has a thousand looked up, a thousand ignored, and is closed', () => {
  const { limits, socket, closed } = defaults();
  const connection = { socket };
  let lookedUp = 0;
  // What the buckets gain meanwhile is a few.
  while (closed.length === 0) if (limits.looksUp(connection, 1)) lookedUp += 1;
  expect(lookedUp).toBeGreaterThanOrEqual(1_000);
  expect(closed).toEqual([4429]);
});

test('a client of which some are ignored now and then is never closed for it', () => {
  jest.useFakeTimers();
  const { limits, socket, closed } = defaults();
  const connection = { socket };
  for (let second = 0; second < 50; second += 1) {
    for (let ignored = 0; ignored < 100; ) if (!limits.looksUp(connection, 1)) ignored += 1;
    jest.advanceTimersByTime(1_000);
  }
  expect(closed).toEqual([]);
});

test('a user who comes back after it has no more looked up', () => {
  jest.useFakeTimers();
  const { limits, socket, closed } = defaults();
  const [first, second] = [{ socket }, { socket }];
  while (closed.length === 0) limits.looksUp(first, 1);
  const again = Array.from({ length: 500 }, () => limits.looksUp(second, 1));
  expect(again).not.toContain(true);
  // It has refusals of its own left: an honest device of the same user is not closed for what another one does.
  expect(closed).toEqual([4429]);
  limits.found(1, 1_000);
  expect(limits.looksUp(second, 1)).toBe(true);
});

test('for ten seconds after a flood the handshakes of the address wait, and no others', () => {
  jest.useFakeTimers();
  const { limits, socket } = defaults();
  const connection = limits.open(socket);
  const frame = new Uint8Array(100);
  expect(limits.handshakeDelayMs(socket.address)).toBe(0);
  while (connection.judge(frame) !== 'close');
  const delays = Array.from({ length: 50 }, () => limits.handshakeDelayMs(socket.address));
  expect(delays.every((ms) => ms >= 1_000 && ms <= 3_000)).toBe(true);
  // Those that were closed together do not come back together.
  expect(new Set(delays).size).toBeGreaterThan(40);
  expect(limits.handshakeDelayMs('203.0.113.8')).toBe(0);
  jest.advanceTimersByTime(10_000);
  expect(limits.handshakeDelayMs(socket.address)).toBe(0);
});

test('what a user sends from one network delays no handshakes of another one in which the same user is', () => {
  jest.useFakeTimers();
  const { limits, socket } = defaults();
  const quiet = limits.open({ ...socket, address: '203.0.113.8' });
  quiet.signIn(1);
  const frame = new Uint8Array(100);
  const judgements = new Set<string>();
  // No connection sends more than it may itself.
  for (let connections = 0; connections < 2; connections += 1) {
    const loud = limits.open(socket);
    loud.signIn(1);
    for (let frames = 0; frames < 2_000; frames += 1) judgements.add(loud.judge(frame));
  }
  expect([...judgements]).toEqual(['read']);
  for (let frames = 0; frames < 101; frames += 1) judgements.add(quiet.judge(frame));
  expect([...judgements]).toEqual(['read', 'refuse', 'close']);
  expect(limits.handshakeDelayMs('203.0.113.8')).toBe(0);
});

test('a flood of a signed-in client is refused a hundred times and then closed, whatever it may send', () => {
  const { limits } = defaults();
  const traffic = new Traffic(limits.connectionRates, () => 0);
  let [taken, refused] = [0, 0];
  while (traffic.take(100) === undefined) taken += 1;
  while (traffic.refuse()) refused += 1;
  expect([taken, refused]).toEqual([2_000, 100]);
});

import { createLog, createMetrics } from '@hooligram/service';
import { expect, test } from '@jest/globals';
import { createGatewayMetrics } from '../metrics.ts';
import { ClientLimits } from './client-limits.ts';
import { gatewayLimitsConfig } from './config.ts';
import { Traffic } from './traffic.ts';

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

test('a flood of a signed-in client is refused a hundred times and then closed, whatever it may send', () => {
  const { limits } = defaults();
  const traffic = new Traffic(limits.connectionRates, () => 0);
  let [taken, refused] = [0, 0];
  while (traffic.take(100) === undefined) taken += 1;
  while (traffic.refuse()) refused += 1;
  expect([taken, refused]).toEqual([2_000, 100]);
});

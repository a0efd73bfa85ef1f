import { createLog, createMetrics, readConfig } from '@hooligram/service';
import { expect, test } from '@jest/globals';
import { createGatewayMetrics } from '../metrics.ts';
import { ClientLimits } from './client-limits.ts';
import { gatewayLimitsConfig } from './config.ts';

test('handshakes that wait count as connections of their address on which nobody is signed in', () => {
  const config = readConfig(gatewayLimitsConfig, {
    LIMIT_CONNECTIONS_PER_ADDRESS: '4',
    LIMIT_UNSIGNED_CONNECTIONS_PER_ADDRESS: '2',
  });
  const limits = new ClientLimits(
    config,
    createGatewayMetrics(createMetrics({ role: 'gateway' })),
    createLog({ name: 'gateway', level: 'silent' }),
  );
  const waiting = new Map([
    ['192.0.2.1', 1],
    ['192.0.2.2', 2],
  ]);
  const refusalOf = (address: string) =>
    limits.refusalOf(address, { waitingOf: (network) => waiting.get(network) ?? 0 })?.reason;
  const connection = { address: '192.0.2.1', end() {} };
  expect([refusalOf('192.0.2.1'), refusalOf('192.0.2.2'), refusalOf('192.0.2.3')]).toEqual([
    undefined,
    'address',
    undefined,
  ]);
  limits.open(connection);
  expect(refusalOf('192.0.2.1')).toBe('address');
});

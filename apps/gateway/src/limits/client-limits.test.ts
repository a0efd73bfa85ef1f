import { createLog, createMetrics, readConfig } from '@hooligram/service';
import { expect, test } from '@jest/globals';
import { createGatewayMetrics } from '../metrics.ts';
import { ClientLimits } from './client-limits.ts';
import { gatewayLimitsConfig } from './config.ts';

function limitsWith(env: Record<string, string>) {
  return new ClientLimits(
    readConfig(gatewayLimitsConfig, env),
    createGatewayMetrics(createMetrics({ role: 'gateway' })),
    createLog({ name: 'gateway', level: 'silent' }),
  );
}

test('handshakes that wait count as connections of their address on which nobody is signed in', () => {
  const limits = limitsWith({
    LIMIT_CONNECTIONS_PER_ADDRESS: '4',
    LIMIT_UNSIGNED_CONNECTIONS_PER_ADDRESS: '2',
  });
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

test('who has used up the acknowledgements of an address has those of its neighbours ignored only beyond a hundredth of a connection’s', () => {
  const limits = limitsWith({
    LIMIT_ACKNOWLEDGEMENTS_PER_CONNECTION: '1000/100000',
    LIMIT_ACKNOWLEDGEMENTS_PER_ADDRESS: '1000/100000',
  });
  const acknowledgement = Buffer.from(
    JSON.stringify({ type: 'GROUP_DELIVER_SUCCESS', payload: { group_id: 7 } }),
  );
  const readOf = (userId: number, frames: number) => {
    const connection = limits.open({ address: '192.0.2.1', end() {} });
    connection.signIn(userId);
    const judged = Array.from({ length: frames }, () => connection.judge(acknowledgement));
    return judged.filter((judgement) => judgement === 'acknowledgement').length;
  };
  expect([readOf(1, 2_000), readOf(2, 9), readOf(3, 300)]).toEqual([1_000, 9, 10]);
});

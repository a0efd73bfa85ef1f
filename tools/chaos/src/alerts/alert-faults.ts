import { setTimeout as pause } from 'node:timers/promises';
import { ProtocolClient } from '@hooligram/protocol-client';
import type { Fault, FaultContext } from '../faults/fault.ts';
import { faults } from '../faults/index.ts';

export type AlertFault = Fault & {
  /** The alert that it fires. */
  readonly alert: string;
};

const failingMs = 12_000;
const failuresPerSecond = 20;

/** Faults that must fire one alert each, and no other. */
export const alertFaults: Readonly<Record<string, AlertFault>> = {
  'kill-gateway': { ...faults['kill-gateway'], alert: 'GatewayDied' },
  'kill-core': { ...faults['kill-core'], alert: 'CoreDied' },
  'stop-redis': { ...faults['stop-redis'], alert: 'RedisAway' },
  'demote-redis': { ...faults['demote-redis'], alert: 'RedisReadOnly' },
  'fill-redis': { ...faults['fill-redis'], alert: 'RedisFull' },
  'read-only-postgres': { ...faults['read-only-postgres'], alert: 'PostgresNotWritable' },
  'never-acknowledge': { ...faults['never-acknowledge'], alert: 'DeliveriesNotAcknowledged' },
  'fail-sign-ins': {
    about: 'clients that sign in with wrong codes, 20 a second for 12 s',
    run: failSignIns,
    alert: 'SignInsFail',
  },
};

async function failSignIns({ stack, log, signal }: FaultContext): Promise<void> {
  log(`${failuresPerSecond} sign-ins a second with a wrong code, for ${failingMs / 1000} s`);
  const client = new ProtocolClient(stack().url, { timeoutMs: failingMs, acknowledge: false });
  await client.opened;
  try {
    for (let sent = 0; sent < (failingMs / 1_000) * failuresPerSecond; sent += 1) {
      const payload = { country_code: '888', phone_number: '10099999999', verification_code: '999999' };
      client.sendRaw(JSON.stringify({ id: `wrong-${sent}`, type: 'AUTHORIZATION_SIGN_IN_REQUEST', payload }));
      await pause(1_000 / failuresPerSecond, undefined, { signal });
    }
  } finally {
    client.terminate();
  }
}

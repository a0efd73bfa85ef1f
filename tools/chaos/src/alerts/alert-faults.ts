import { ProtocolClient } from '@hooligram/protocol-client';
import { type Fault, type FaultContext, whileItLasts } from '../faults/fault.ts';
import { faults } from '../faults/index.ts';
import type { Canary } from './canary.ts';

type AlertContext = FaultContext & { readonly canary: Canary };

export type AlertFault = Pick<Fault, 'about'> & {
  readonly run: (context: AlertContext) => Promise<void>;
  /** The alert that it fires. */
  readonly alert: string;
  /** A short campaign leaves it out: another one shows nearly the same. */
  readonly isLeftOut?: boolean;
};

const failingMs = 12_000;
const cutMs = 20_000;
const failuresPerSecond = 20;

/**
 * Faults that must fire one alert each, and no other. First those whose alert is silent for a while after a store or a
 * process failed.
 */
export const alertFaults: Readonly<Record<string, AlertFault>> = {
  'never-acknowledge': { ...faults['never-acknowledge'], alert: 'DeliveriesNotAcknowledged' },
  'fail-sign-ins': {
    about: 'clients that sign in with wrong codes, 20 a second for 12 s',
    run: failSignIns,
    alert: 'SignInsFail',
  },
  'kill-gateway': { ...faults['kill-gateway'], alert: 'GatewayDied' },
  'kill-core': { ...faults['kill-core'], alert: 'CoreDied' },
  'stop-redis': { ...faults['stop-redis'], alert: 'RedisAway' },
  'demote-redis': { ...faults['demote-redis'], alert: 'RedisReadOnly' },
  'fill-redis': { ...faults['fill-redis'], alert: 'RedisFull', isLeftOut: true },
  'read-only-postgres': { ...faults['read-only-postgres'], alert: 'PostgresNotWritable' },
  'cut-canary': {
    about: 'what the canary sends is lost on its way, for 20 s',
    run: cutCanary,
    alert: 'CanaryLosesMessages',
    isLeftOut: true,
  },
};

async function cutCanary(context: AlertContext): Promise<void> {
  context.log('what the canary sends is lost');
  context.canary.isCut = true;
  try {
    await whileItLasts(cutMs, context);
  } finally {
    context.canary.isCut = false;
  }
}

async function failSignIns(context: FaultContext): Promise<void> {
  context.log(`${failuresPerSecond} sign-ins a second with a wrong code`);
  const client = new ProtocolClient(context.stack().url, { timeoutMs: failingMs, acknowledge: false });
  await client.opened;
  let sent = 0;
  const timer = setInterval(() => {
    const payload = { country_code: '888', phone_number: '10099999999', verification_code: '999999' };
    client.sendRaw(JSON.stringify({ id: `wrong-${sent}`, type: 'AUTHORIZATION_SIGN_IN_REQUEST', payload }));
    sent += 1;
  }, 1_000 / failuresPerSecond);
  try {
    await whileItLasts(failingMs, context);
  } finally {
    clearInterval(timer);
    client.terminate();
  }
}

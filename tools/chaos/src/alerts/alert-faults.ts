import { setTimeout as pause } from 'node:timers/promises';
import { ProtocolClient } from '@hooligram/protocol-client';
import { type Fault, type FaultContext, whileItLasts } from '../faults/fault.ts';
import { type FaultName, faultNames, faults } from '../faults/index.ts';
import { killPubsub, pauseRedis } from '../faults/redis.ts';
import type { RedisForm } from '../redis-forms.ts';
import type { Canary } from './canary.ts';

type AlertContext = FaultContext & { readonly canary: Canary };

/** What must fire: one alert, or none, because nobody has to do anything. */
type Expected =
  | { readonly alert: string; readonly because?: undefined }
  | { readonly alert?: undefined; readonly because: string };

export type AlertFault = Pick<Fault, 'about' | 'redis'> &
  Expected & {
    readonly run: (context: AlertContext) => Promise<void>;
    /** Part of a short campaign: others show nearly the same. */
    readonly isInShort?: true;
  };

type OwnFault = 'fail-sign-ins' | 'cut-canary' | 'break-subscribers';

export type AlertFaultName = FaultName | OwnFault;

const failingMs = 12_000;
const cutMs = 20_000;
const pausedMs = 12_000;
const breakingMs = 20_000;
/** More seldom than an echo: the way to Redis and back works in between. */
const breakEveryMs = 1_300;
const failuresPerSecond = 20;

/**
 * Every fault of the campaign, and some that only alerts are for: the one alert that it must fire, and no other. First those
 * whose alert is silent for a while after a store or a process failed.
 */
export const alertFaults: Readonly<Record<AlertFaultName, AlertFault>> = {
  'never-acknowledge': {
    ...faults['never-acknowledge'],
    alert: 'DeliveriesNotAcknowledged',
    isInShort: true,
  },
  vanish: { ...faults.vanish, because: 'clients come back by themselves, and are sent what they lost' },
  'half-open': { ...faults['half-open'], because: 'gateways close connections that are silent for too long' },
  'slow-readers': { ...faults['slow-readers'], because: 'gateways close who reads too slowly' },
  'kill-pubsub': { ...faults['kill-pubsub'], because: 'gateways subscribe again and fetch what they missed' },
  'break-subscribers': {
    about: 'CLIENT KILL TYPE pubsub, again and again, for 20 s',
    run: breakSubscribers,
    alert: 'RedisConnectionsBreak',
  },
  'term-gateway': { ...faults['term-gateway'], because: 'it said that it stops' },
  'term-core': { ...faults['term-core'], because: 'it said that it stops' },
  'fail-sign-ins': {
    about: 'clients that sign in with wrong codes, 20 a second for 12 s',
    run: failSignIns,
    alert: 'SignInsFail',
    isInShort: true,
  },
  'kill-gateway': { ...faults['kill-gateway'], alert: 'GatewayDied', isInShort: true },
  'stop-gateway': { ...faults['stop-gateway'], alert: 'GatewayDied' },
  'kill-core': { ...faults['kill-core'], alert: 'CoreDied', isInShort: true },
  'stop-core': { ...faults['stop-core'], alert: 'CoreDied' },
  'stop-redis': { ...faults['stop-redis'], alert: 'RedisAway', isInShort: true },
  'pause-redis': {
    about: 'CLIENT PAUSE for 12 s',
    run: (context) => pauseRedis(context, pausedMs),
    alert: 'RedisAway',
  },
  'kill-redis': { ...faults['kill-redis'], alert: 'RedisRestarted' },
  'lose-redis': { ...faults['lose-redis'], alert: 'RedisEmptied' },
  flushall: { ...faults.flushall, alert: 'RedisEmptied' },
  'kill-shard': { ...faults['kill-shard'], alert: 'RedisPartAway' },
  'demote-redis': { ...faults['demote-redis'], alert: 'RedisReadOnly', isInShort: true },
  'fill-redis': { ...faults['fill-redis'], alert: 'RedisFull' },
  'demote-primary': { ...faults['demote-primary'], alert: 'RedisRestarted' },
  'kill-primary': { ...faults['kill-primary'], alert: 'RedisRestarted' },
  'freeze-primary': { ...faults['freeze-primary'], alert: 'RedisRestarted' },
  'read-only-postgres': { ...faults['read-only-postgres'], alert: 'PostgresNotWritable', isInShort: true },
  'stop-postgres': { ...faults['stop-postgres'], alert: 'PostgresNotWritable' },
  'kill-postgres': { ...faults['kill-postgres'], alert: 'PostgresRestarted' },
  'cut-canary': {
    about: 'what the canary sends is lost on its way, for 20 s',
    run: cutCanary,
    alert: 'CanaryLosesMessages',
  },
  // The last one: its alert stays for half an hour.
  'restore-postgres': { ...faults['restore-postgres'], alert: 'DatabaseWentBack' },
};

const allNames = Object.keys(alertFaults) as AlertFaultName[];

/** Those that only alerts are for. */
export const ownFaultNames = allNames.filter((name) => !faultNames.some((other) => other === name));

/** Those of a campaign where the stack has this for a Redis; with another one than one Redis, those that need it. */
export function alertFaultNamesOf(form: RedisForm, isShort: boolean): AlertFaultName[] {
  return allNames.filter((name) => {
    const { redis: forms, isInShort }: AlertFault = alertFaults[name];
    const isForOne = forms?.includes('one') ?? true;
    const isOfForm = form === 'one' ? isForOne : !isForOne && forms?.includes(form);
    return isOfForm && (!isShort || isInShort);
  });
}

/** As a Redis does whose client-output-buffer-limit is too small for what gateways have to read. */
async function breakSubscribers(context: FaultContext): Promise<void> {
  const endsAt = performance.now() + breakingMs;
  while (performance.now() < endsAt) {
    await killPubsub(context);
    await pause(breakEveryMs, undefined, { signal: context.signal });
  }
}

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

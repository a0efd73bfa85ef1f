import { setTimeout as pause } from 'node:timers/promises';
import type { RedisForm } from '@hooligram/local';
import { countRedisBytes } from '../measure/costs.ts';
import { residentBytesAtRest } from '../measure/memory.ts';
import { cpuBetween, usageByRole, whenQuiet } from '../measure/roles.ts';
import type { RunningTarget } from '../targets/target.ts';
import { Crowd, groupsEach } from './crowd.ts';
import type { Figures } from './figures.ts';
import { layered, neighbours } from './populations.ts';
import { exchange, populate, type Trial } from './trial.ts';
import type { Workload } from './workload.ts';

/** The size of a system in which as many users are idle, each in ten groups of so many. */
type Size = {
  readonly connections: number;
  readonly groupSize: number;
  readonly gateways: number;
  readonly redis: RedisForm;
};

/** With which the others are compared. */
export const baseSize = 'size-15000-2-1';

/** By connections, gateways and Redis. */
export const sizes = {
  'size-1500-2-1': { connections: 1_500, groupSize: 10, gateways: 2, redis: 1 },
  'size-15000-1-1': { connections: 15_000, groupSize: 10, gateways: 1, redis: 1 },
  [baseSize]: { connections: 15_000, groupSize: 10, gateways: 2, redis: 1 },
  // No two of its users on one gateway share a group, as hardly any do on hundreds of gateways.
  'size-15000-2-1-pairs': { connections: 15_000, groupSize: 2, gateways: 2, redis: 1 },
  'size-15000-4-1': { connections: 15_000, groupSize: 10, gateways: 4, redis: 1 },
  'size-15000-1-3': { connections: 15_000, groupSize: 10, gateways: 1, redis: 3 },
  'size-15000-2-3': { connections: 15_000, groupSize: 10, gateways: 2, redis: 3 },
  'size-15000-4-3': { connections: 15_000, groupSize: 10, gateways: 4, redis: 3 },
  'size-15000-1-cluster': { connections: 15_000, groupSize: 10, gateways: 1, redis: 'cluster' },
  'size-15000-2-cluster': { connections: 15_000, groupSize: 10, gateways: 2, redis: 'cluster' },
  'size-15000-4-cluster': { connections: 15_000, groupSize: 10, gateways: 4, redis: 'cluster' },
  'size-60000-4-1': { connections: 60_000, groupSize: 10, gateways: 4, redis: 1 },
  'size-60000-4-3': { connections: 60_000, groupSize: 10, gateways: 4, redis: 3 },
  'size-60000-4-cluster': { connections: 60_000, groupSize: 10, gateways: 4, redis: 'cluster' },
} as const satisfies Record<string, Size>;

export type SizeName = keyof typeof sizes;

export const sizeNames = Object.keys(sizes) as readonly SizeName[];

const active = 1_000;
const perSecond = 100;
const restMs = 10_000;

/** Those who send: groups of 100, and idle ones, ten for each user. */
const senders = {
  ...neighbours(active / 100, 100),
  groups: [...neighbours(active / 100, 100).groups, ...layered(active, 10, groupsEach - 1).groups],
};

function sized({ connections, groupSize, gateways, redis }: Size): Workload {
  const store = redis === 'cluster' ? 'a Redis Cluster' : `${redis} Redis`;
  return {
    about: `groups of 100, ${perSecond} messages a second; ${connections.toLocaleString('en')} others in ten groups of ${groupSize} each, ${gateways} gateways, ${store}`,
    targets: ['ours'],
    notRunning: 'it needs systems of different sizes',
    besideSeconds: 210 + connections / 150,
    trialSecondsMax: 900 + connections / 15,
    processes: { gateways, cores: 1, redis },
    async run(trial) {
      const crowd = new Crowd(trial, connections, groupSize);
      try {
        return await measure(trial, crowd, connections);
      } finally {
        crowd.stop();
      }
    },
  };
}

async function measure(trial: Trial, crowd: Crowd, connections: number): Promise<Figures> {
  const { target, log } = trial;
  await crowd.signUp(trial);
  // Memory that the sign-ups have taken does not belong to the connections.
  await target.renewGateways?.();
  await populate(trial, senders);
  await whenQuiet(target.roles(), restMs);
  const before = await memoryOf(target);
  log(`${connections} others sign in`);
  await crowd.signIn();
  await whenQuiet(target.roles(), restMs);
  const after = await memoryOf(target);
  const rest = await restFigures(target);
  return {
    kilobytes: (after.gateways - before.gateways) / 1_000 / connections,
    redis_bytes: (after.redis - before.redis) / connections,
    ...rest,
    ...(await exchange(trial, { perSecond })),
  };
}

/** Bytes, at rest. */
async function memoryOf({ roles, stores }: RunningTarget): Promise<{ gateways: number; redis: number }> {
  const gateways = await residentBytesAtRest(roles().gateway ?? []);
  return { gateways, redis: await countRedisBytes(stores?.().redisUrls ?? []) };
}

/** What each role takes while nobody does anything: milliseconds of CPU a second. */
async function restFigures({ roles }: RunningTarget): Promise<Record<string, number>> {
  const before = usageByRole(roles());
  const startedAt = performance.now();
  await pause(restMs);
  const cpu = cpuBetween(before, usageByRole(roles()));
  const seconds = (performance.now() - startedAt) / 1_000;
  return Object.fromEntries(Object.entries(cpu).map(([role, ms]) => [`rest_${role}_ms`, ms / seconds]));
}

export const sizeWorkloads = Object.fromEntries(
  Object.entries(sizes).map(([name, size]) => [name, sized(size)]),
) as Readonly<Record<SizeName, Workload>>;

import { LoadProcess } from '../load/load-process.ts';
import type { Figures } from './figures.ts';
import { layered, neighbours } from './populations.ts';
import { exchange, populate, type Trial } from './trial.ts';
import type { Workload } from './workload.ts';

/** The size of a system in which as many users are idle, each in ten groups. */
type Size = {
  readonly connections: number;
  readonly gateways: number;
  /** As a list in REDIS_URL. */
  readonly redises: number;
};

/** With which the others are compared. */
export const baseSize = 'size-15000-2-1';

/** By connections, gateways and Redis. */
export const sizes = {
  'size-15000-1-1': { connections: 15_000, gateways: 1, redises: 1 },
  [baseSize]: { connections: 15_000, gateways: 2, redises: 1 },
  'size-15000-4-1': { connections: 15_000, gateways: 4, redises: 1 },
  'size-15000-1-3': { connections: 15_000, gateways: 1, redises: 3 },
  'size-15000-2-3': { connections: 15_000, gateways: 2, redises: 3 },
  'size-15000-4-3': { connections: 15_000, gateways: 4, redises: 3 },
  'size-60000-4-1': { connections: 60_000, gateways: 4, redises: 1 },
  'size-60000-4-3': { connections: 60_000, gateways: 4, redises: 3 },
} as const satisfies Record<string, Size>;

export type SizeName = keyof typeof sizes;

export const sizeNames = Object.keys(sizes) as readonly SizeName[];

const active = 1_000;
const groupsEach = 10;
const groupSize = 10;
const perSecond = 100;
/** Of one load process, from one address: there and here a process may have 20,000 files open or so. */
const crowdMax = 15_000;
/** Numbers that the others do not have. */
const crowdFrom = 1_000_000;

/** Those who send: groups of 100, and idle ones, ten for each user. */
const senders = {
  ...neighbours(active / 100, 100),
  groups: [...neighbours(active / 100, 100).groups, ...layered(active, groupSize, groupsEach - 1).groups],
};

function sized({ connections, gateways, redises }: Size): Workload {
  return {
    about: `groups of 100, ${perSecond} messages a second; ${connections.toLocaleString('en')} others in ten groups each, ${gateways} gateways, ${redises} Redis`,
    targets: ['ours'],
    notRunning: 'it needs systems of different sizes',
    besideSeconds: 90 + connections / 75,
    trialSecondsMax: 600 + connections / 15,
    processes: { gateways, cores: 1, redises },
    async run(trial) {
      const loads = Array.from({ length: Math.ceil(connections / crowdMax) }, () => new LoadProcess());
      trial.signal.addEventListener('abort', () => stopAll(loads));
      try {
        return await measure(trial, connections, loads);
      } finally {
        stopAll(loads);
      }
    },
  };
}

/** Each load process has idle users of its own, and connects from a loopback address of its own. */
async function measure(trial: Trial, connections: number, loads: readonly LoadProcess[]): Promise<Figures> {
  await populate(trial, senders);
  const { firstNumber = 5_550_000_000 } = trial.target;
  for (const [index, load] of loads.entries()) {
    const users = Math.min(crowdMax, connections - index * crowdMax);
    const target = { ...trial.target, firstNumber: firstNumber + crowdFrom + index * crowdMax };
    const population = {
      ...layered(users, groupSize, groupsEach),
      localAddress: `127.0.0.${index + 2}`,
    };
    await populate({ ...trial, load, target }, population);
  }
  return exchange(trial, { perSecond });
}

function stopAll(loads: readonly LoadProcess[]): void {
  for (const load of loads) load.stop();
}

export const sizeWorkloads = Object.fromEntries(
  Object.entries(sizes).map(([name, size]) => [name, sized(size)]),
) as Readonly<Record<SizeName, Workload>>;

import { storeHistory } from './history.ts';
import { withIdle } from './populations.ts';
import { exchange, populate } from './trial.ts';
import type { Workload } from './workload.ts';

/** The size of a system; the work stays the same. */
export type GrowthPoint = {
  readonly connections: number;
  readonly groups: number;
  readonly gateways: number;
  readonly cores: number;
  /** Stored before the trial begins. */
  readonly messages: number;
};

export type Dimension = keyof GrowthPoint;

export const basePoint: GrowthPoint = { connections: 1_000, groups: 10, gateways: 2, cores: 1, messages: 0 };

/** The one thing in which each workload differs from the base. */
export const growthPoints = {
  'growth-base': {},
  'growth-connections-5000': { connections: 5_000 },
  'growth-connections-15000': { connections: 15_000 },
  'growth-groups-500': { groups: 500 },
  'growth-groups-5000': { groups: 5_000 },
  'growth-gateways-1': { gateways: 1 },
  'growth-gateways-4': { gateways: 4 },
  'growth-cores-2': { cores: 2 },
  'growth-messages-5000000': { messages: 5_000_000 },
} satisfies Record<string, Partial<GrowthPoint>>;

export type GrowthName = keyof typeof growthPoints;

export const growthNames = Object.keys(growthPoints) as readonly GrowthName[];

const perSecond = 100;

/** The same messages a second to groups of 100, in systems of different sizes. */
function growth(point: GrowthPoint): Workload {
  const { connections, groups, gateways, cores, messages } = point;
  return {
    about: `groups of 100, ${perSecond} messages a second in all`,
    targets: ['ours'],
    besideSeconds: 60,
    notRunning: 'it needs systems of different sizes',
    processes: { gateways, cores },
    async run(trial) {
      await populate(trial, withIdle(10, 100, connections, groups));
      const stores = trial.target.stores?.();
      if (messages > 0 && stores) await storeHistory(stores.databaseUrl, messages, trial.log);
      return exchange(trial, { perSecond });
    },
  };
}

export const growthWorkloads = Object.fromEntries(
  Object.entries(growthPoints).map(([name, change]) => [name, growth({ ...basePoint, ...change })]),
) as Readonly<Record<GrowthName, Workload>>;

import { usageOf } from '../measure/processes.ts';
import { whenQuiet } from '../measure/roles.ts';
import { type GrowthName, growthNames, growthWorkloads } from './growth.ts';
import { layered, neighbours } from './populations.ts';
import { exchange, settle } from './stage.ts';
import type { Workload } from './workload.ts';

const backlogMessages = 500;
const stormTogether = 250;
const idleTogether = 20;
const idlePauseMs = 10_000;

const usual = {
  direct: {
    about: '400 people in 200 pairs, one sender a pair with 4 sends in flight',
    targets: ['ours', 'socketio'],
    async run(stage) {
      await settle(stage, neighbours(200, 2));
      return exchange(stage, { inFlight: 4 });
    },
  },
  rooms: {
    about: '10 groups of 100, one sender each with 4 sends in flight',
    targets: ['ours', 'socketio', 'uws-limit'],
    async run(stage) {
      await settle(stage, neighbours(10, 100));
      return exchange(stage, { inFlight: 4 });
    },
  },
  'paced-direct': {
    about: '200 pairs, 100 messages a second in all, latency from the intended send time',
    targets: ['ours', 'socketio'],
    async run(stage) {
      await settle(stage, neighbours(200, 2));
      return exchange(stage, { perSecond: 100 });
    },
  },
  'paced-rooms': {
    about: '10 groups of 100, 50 messages a second in all, latency from the intended send time',
    targets: ['ours', 'socketio'],
    async run(stage) {
      await settle(stage, neighbours(10, 100));
      return exchange(stage, { perSecond: 50 });
    },
  },
  idle: {
    about: '15,000 signed-in connections, each in 10 groups',
    targets: ['ours'],
    notRunning: 'it reads the memory of the gateways',
    async run(stage) {
      await settle(stage, layered(15_000, 100, 10));
      await stage.load.call('leave');
      await whenQuiet(stage.target.roles(), idlePauseMs);
      // What signing up has cost a gateway is not what holding a connection costs.
      await stage.target.renewGateways?.();
      await whenQuiet(stage.target.roles(), idlePauseMs);
      const { gateway = [] } = stage.target.roles();
      const before = usageOf(gateway).residentBytes;
      stage.log('all of them sign in');
      await stage.load.call('storm', idleTogether);
      await whenQuiet(stage.target.roles(), idlePauseMs);
      return { kilobytes: (usageOf(gateway).residentBytes - before) / 1_000 / 15_000 };
    },
  },
  storm: {
    about: '5,000 people, each in 5 groups of 10, connect and sign in as fast as possible',
    targets: ['ours'],
    async run(stage) {
      await settle(stage, layered(5_000, 10, 5));
      await stage.load.call('leave');
      await whenQuiet(stage.target.roles(), idlePauseMs);
      stage.log('all of them sign in');
      const elapsedMs = await stage.load.call('storm', stormTogether);
      return { sign_ins_per_s: 5_000 / (elapsedMs / 1_000) };
    },
  },
  backlog: {
    about: `100 people with ${backlogMessages} messages waiting each come back at once`,
    targets: ['ours'],
    async run(stage) {
      await settle(stage, neighbours(100, 2));
      stage.log(`${backlogMessages} messages are sent to each of 100 people who are away`);
      await stage.load.call('miss', backlogMessages);
      await whenQuiet(stage.target.roles(), idlePauseMs);
      stage.log('they come back');
      const { messages, elapsedMs } = await stage.load.call('comeBack');
      return { replayed_per_s: messages / (elapsedMs / 1_000) };
    },
  },
} satisfies Record<string, Workload>;

/** What `all` means. */
export const usualNames = Object.keys(usual) as readonly (keyof typeof usual)[];

export type WorkloadName = keyof typeof usual | GrowthName;

export const workloads: Readonly<Record<WorkloadName, Workload>> = { ...usual, ...growthWorkloads };

export const workloadNames = Object.keys(workloads) as readonly WorkloadName[];

/** Names for several. */
export const workloadSets: Readonly<Record<string, readonly WorkloadName[]>> = {
  all: usualNames,
  paced: ['paced-direct', 'paced-rooms'],
  growth: growthNames,
};

import type { Rate } from '../load/rate.ts';
import { residentBytesAtRest } from '../measure/memory.ts';
import { usageOf } from '../measure/processes.ts';
import { whenQuiet } from '../measure/roles.ts';
import type { TargetName } from '../targets/index.ts';
import { big } from './big.ts';
import { coldLimit } from './cold-limit.ts';
import { day } from './day.ts';
import { type GrowthName, growthNames, growthWorkloads } from './growth.ts';
import { hops, type TailName, tailNames, tailWorkloads } from './hops.ts';
import { layered, neighbours } from './populations.ts';
import { type SizeName, sizeNames, sizeWorkloads } from './sizes.ts';
import { type SlowLinkName, slowLinkNames, slowLinkWorkloads } from './slow-link.ts';
import { type StormName, stormAloneNames, stormNames, stormWorkloads } from './storm-chat.ts';
import { exchange, populate } from './trial.ts';
import type { Workload } from './workload.ts';
import { year } from './year.ts';

const backlogMessages = 500;
const coldEverySeconds = 5;
const stormConcurrency = 250;
const idleConcurrency = 20;
const idlePauseMs = 10_000;
const calmMs = 1_500;

/** Users who send at a rate, measured while they do: on these targets, and on ours in turns that are scraped or not. */
function sending(
  about: string,
  targets: readonly TargetName[],
  users: ReturnType<typeof neighbours>,
  rate: Rate,
): Workload {
  return {
    about,
    targets: [...targets, 'scraped'],
    besideSeconds: 45,
    async run(trial) {
      await populate(trial, users);
      const { rateTimes } = trial;
      if (!('perSecond' in rate) || rateTimes === 1) return exchange(trial, rate);
      return { ...(await exchange(trial, { perSecond: rate.perSecond * rateTimes })), rate_times: rateTimes };
    },
  };
}

const pairs = neighbours(200, 2);
const hundreds = neighbours(10, 100);

const usual = {
  direct: sending(
    '400 users in 200 pairs, one sender a pair with 4 sends in flight',
    ['ours', 'socketio', 'uws-limit'],
    pairs,
    { inFlight: 4 },
  ),
  fanout: sending(
    '10 groups of 100, one sender each with 4 sends in flight',
    ['ours', 'socketio', 'uws-limit'],
    hundreds,
    { inFlight: 4 },
  ),
  'paced-direct': sending(
    '200 pairs, 100 messages a second in all, latency from the intended send time',
    ['ours', 'socketio'],
    pairs,
    { perSecond: 100 },
  ),
  'paced-fanout': sending(
    '10 groups of 100, 50 messages a second in all, latency from the intended send time',
    ['ours', 'socketio'],
    hundreds,
    { perSecond: 50 },
  ),
  'cold-direct': {
    about: 'pairs with a message every 5 s each, 5,000 of them or as --pairs says',
    targets: ['ours', 'socketio'],
    besideSeconds: 90,
    async run(trial) {
      await populate(trial, neighbours(trial.pairs, 2));
      return exchange(trial, { perSecond: trial.pairs / coldEverySeconds });
    },
  },
  'cold-direct-230': {
    about: '1,150 pairs with a message every 5 s each',
    targets: ['ours'],
    besideSeconds: 45,
    async run(trial) {
      await populate(trial, neighbours(230 * coldEverySeconds, 2));
      return exchange(trial, { perSecond: 230 });
    },
  },
  'hot-direct': {
    about: '200 pairs with as many messages a second as all pairs of cold-direct have',
    targets: ['ours', 'socketio'],
    besideSeconds: 45,
    async run(trial) {
      await populate(trial, pairs);
      return exchange(trial, { perSecond: trial.pairs / coldEverySeconds });
    },
  },
  'cold-limit': coldLimit,
  idle: {
    about: '15,000 signed-in connections, each in 10 groups',
    targets: ['ours'],
    besideSeconds: 280,
    notRunning: 'it reads the memory of the gateways',
    async run(trial) {
      await populate(trial, layered(15_000, 100, 10));
      await trial.load.call('disconnect');
      await whenQuiet(trial.target.roles(), idlePauseMs);
      // Memory that the sign-ups have taken does not belong to the connections.
      await trial.target.renewGateways?.();
      const { gateway = [] } = trial.target.roles();
      const before = await residentBytesAtRest(gateway);
      trial.log('all users sign in');
      await trial.load.call('storm', idleConcurrency);
      await whenQuiet(trial.target.roles(), idlePauseMs);
      const soon = usageOf(gateway).residentBytes;
      const after = await residentBytesAtRest(gateway);
      return {
        kilobytes: (after - before) / 1_000 / 15_000,
        kilobytes_soon: (soon - before) / 1_000 / 15_000,
      };
    },
  },
  storm: {
    about: '5,000 users, each in 5 groups of 10, connect and sign in as fast as possible',
    targets: ['ours'],
    besideSeconds: 60,
    async run(trial) {
      await populate(trial, layered(5_000, 10, 5));
      await trial.load.call('disconnect');
      await whenQuiet(trial.target.roles(), idlePauseMs);
      trial.log('all users sign in');
      trial.toggleProfilers();
      const elapsedMs = await trial.load.call('storm', stormConcurrency);
      trial.toggleProfilers();
      await whenQuiet(trial.target.roles(), calmMs);
      return { sign_ins_per_s: 5_000 / (elapsedMs / 1_000) };
    },
  },
  backlog: {
    about: `100 users with ${backlogMessages} messages waiting each reconnect at once`,
    targets: ['ours'],
    besideSeconds: 40,
    async run(trial) {
      await populate(trial, neighbours(100, 2));
      trial.log(`${backlogMessages} messages are sent to each of 100 users who are offline`);
      await trial.load.call('missMessages', backlogMessages);
      await whenQuiet(trial.target.roles(), idlePauseMs);
      trial.log('they reconnect');
      const { messages, elapsedMs } = await trial.load.call('reconnect');
      return { replayed_per_s: messages / (elapsedMs / 1_000) };
    },
  },
  day,
  big,
  hops,
} satisfies Record<string, Workload>;

/** The workloads of `--workload all`. */
export const usualNames = Object.keys(usual) as readonly (keyof typeof usual)[];

export type WorkloadName =
  | keyof typeof usual
  | GrowthName
  | SizeName
  | StormName
  | SlowLinkName
  | TailName
  | 'year';

export const workloads: Readonly<Record<WorkloadName, Workload>> = {
  ...usual,
  ...growthWorkloads,
  ...sizeWorkloads,
  ...stormWorkloads,
  ...slowLinkWorkloads,
  ...tailWorkloads,
  year,
};

export const workloadNames = Object.keys(workloads) as readonly WorkloadName[];

/** Names for several workloads, and earlier names. */
export const workloadSets: Readonly<Record<string, readonly WorkloadName[]>> = {
  all: usualNames,
  paced: ['paced-direct', 'paced-fanout'],
  growth: growthNames,
  sizes: sizeNames,
  storms: stormNames,
  'storms-alone': stormAloneNames,
  'slow-links': slowLinkNames,
  tails: tailNames,
  rooms: ['fanout'],
  'paced-rooms': ['paced-fanout'],
};

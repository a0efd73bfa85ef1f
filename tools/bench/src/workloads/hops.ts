import { countCheckpoints } from '../measure/costs.ts';
import { collectNotes, hopFigures, hopLines } from '../measure/hops.ts';
import { whenQuiet } from '../measure/roles.ts';
import { tailLines } from '../measure/tails.ts';
import type { Figures } from './figures.ts';
import { neighbours } from './populations.ts';
import { populate, type Trial } from './trial.ts';
import type { Workload } from './workload.ts';

/** Messages a second; the usual one is as in paced-direct. */
const quietPerSecond = 100;
const busyPerSecond = 1_000;
const warmUpMessages = 3_000;
const pauseMs = 1_500;

type Followed = Pick<Trial, 'target' | 'load' | 'seconds' | 'tracesFolder' | 'log'>;

type Following = {
  /** Groups of two, each member on another gateway. */
  readonly pairs: number;
  readonly perSecond: number;
  readonly warmUpMessages: number;
};

export const hops = traced(
  'as paced-direct; where a single message spends its time, hop by hop',
  200,
  quietPerSecond,
);

export const tailNames = ['tails-200', 'tails-5000'] as const;
export type TailName = (typeof tailNames)[number];

export const tailWorkloads: Readonly<Record<TailName, Workload>> = {
  'tails-200': traced(
    'as hops, 1,000 messages a second: what makes the slowest hundredth slow',
    200,
    busyPerSecond,
  ),
  'tails-5000': traced('the same over 5,000 pairs', 5_000, busyPerSecond),
};

function traced(about: string, pairs: number, perSecond: number): Workload {
  return {
    about,
    targets: ['ours'],
    besideSeconds: 30 + warmUpMessages / perSecond + pairs / 100,
    notRunning: 'its processes must be started with a tracer',
    isTraced: true,
    run: (trial) => followMessages(trial, { pairs, perSecond, warmUpMessages }),
  };
}

/**
 * Sends messages at a rate, and tells where each spends its time.
 * @param trial whose processes note into its folder for traces: see `tracing`
 * @returns see `hopFigures`
 * @throws Error at a fault, and when no message was noted on its whole way
 */
export async function followMessages(
  trial: Followed,
  { pairs, perSecond, warmUpMessages }: Following,
): Promise<Figures> {
  const { target, load, seconds, tracesFolder, log } = trial;
  await populate(trial, neighbours(pairs, 2));
  const { gateway = [], core = [] } = target.roles();
  const pids = [...gateway, ...core, load.pid];
  const roleOf = (pid: number) =>
    gateway.includes(pid) ? 'gateways' : core.includes(pid) ? 'cores' : 'the load generator';
  const warmUpSeconds = warmUpMessages / perSecond;
  log(`warming up for ${warmUpSeconds} s`);
  await load.call('exchange', warmUpSeconds, { perSecond });
  await whenQuiet(target.roles(), pauseMs);
  await collectNotes(tracesFolder, pids);
  const checkpointsBefore = await countCheckpoints(target);
  log(`measuring for ${seconds} s`);
  const { faults } = await load.call('exchange', seconds, { perSecond });
  if (faults[0] !== undefined) throw new Error(faults[0]);
  const notes = await collectNotes(tracesFolder, pids);
  const figures = hopFigures(notes);
  for (const line of [...hopLines(figures), ...tailLines(notes, roleOf)]) log(line);
  log(`checkpoints of Postgres meanwhile: ${(await countCheckpoints(target)) - checkpointsBefore}`);
  return figures;
}

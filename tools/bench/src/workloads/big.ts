import { LoadProcess } from '../load/load-process.ts';
import type { ExchangeResult } from '../load/population.ts';
import { cpuBetween, usageByRole, whenQuiet } from '../measure/roles.ts';
import { storeBig } from './big-groups.ts';
import type { Figures } from './figures.ts';
import { neighbours } from './populations.ts';
import { exchange, populate, type Trial } from './trial.ts';
import type { Workload } from './workload.ts';

const crowd = 10_000;
const others = neighbours(200, 2);
const perSecond = 100;
const concurrency = 20;
const pauseMs = 3_000;

export const big: Workload = {
  about: `200 pairs, 100 messages a second; beside them a group of ${crowd}, and a user in ${crowd} groups`,
  targets: ['ours'],
  besideSeconds: 240,
  notRunning: 'it writes its groups into the database',
  run: (trial) => withCrowd(trial, (load) => measureBeside(trial, load)),
};

/**
 * A load process of their own, which gives way: what others wait for is not what it takes to read ten thousand states.
 */
async function withCrowd(trial: Trial, work: (load: LoadProcess) => Promise<Figures>): Promise<Figures> {
  const load = new LoadProcess(undefined, undefined, { givesWay: true });
  trial.signal.addEventListener('abort', () => load.stop());
  try {
    return await work(load);
  } finally {
    load.stop();
  }
}

async function measureBeside(trial: Trial, load: LoadProcess): Promise<Figures> {
  const { target, seconds, log } = trial;
  const stores = target.stores?.();
  if (!stores) throw new Error('the database is not ours');
  await populate(trial, others);
  const firstNumber = 6_660_000_000;
  // The last one is the user in ten thousand groups.
  await populate(
    { ...trial, load, target: { ...target, firstNumber } },
    { users: crowd + 1, groups: [], streams: 0 },
  );
  await load.call('disconnect');
  await whenQuiet(target.roles(), pauseMs);
  const groupId = await storeBig(stores.databaseUrl, firstNumber, crowd);
  log(`the ${crowd} members and the user of ${crowd} groups sign in`);
  await load.call('storm', concurrency, crowd * 3);
  await whenQuiet(target.roles(), pauseMs);

  const quiet = await exchange(trial, { perSecond });
  log('members leave, one after the other, and all others are told');
  const told = await beside(trial, load.pid, load.call('leaveOneByOne', groupId, crowd, seconds));
  log(`the user of ${crowd} groups signs in, again and again`);
  const signedIn = await beside(trial, load.pid, load.call('signInAgain', crowd, crowd, seconds));
  return {
    ...quiet,
    p99_told_ms: told.result.latencyMs.p99,
    p99_sign_in_ms: signedIn.result.latencyMs.p99,
    told_s: told.medianSeconds,
    sign_in_s: signedIn.medianSeconds,
  };
}

/** The others' exchange while something happens again and again; the log tells who was busy with it. */
async function beside(
  { target, load, seconds, toggleProfilers, log }: Trial,
  crowdPid: number,
  events: Promise<number[]>,
): Promise<{ result: ExchangeResult; medianSeconds: number }> {
  const roles = { ...target.roles(), 'the others': [load.pid], crowd: [crowdPid] };
  const before = usageByRole(roles);
  const startedAt = performance.now();
  toggleProfilers();
  const [result, took] = await Promise.all([load.call('exchange', seconds, { perSecond }), events]);
  toggleProfilers();
  const busy = Object.entries(cpuBetween(before, usageByRole(roles))).map(
    ([role, ms]) => `${role} ${Math.round((ms / (performance.now() - startedAt)) * 100)} %`,
  );
  log(`${took.length} times; of a core: ${busy.join(', ')}`);
  if (result.faults[0] !== undefined) throw new Error(result.faults[0]);
  await whenQuiet(target.roles(), pauseMs);
  const sorted = took.toSorted((one, other) => one - other);
  return { result, medianSeconds: (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN) / 1_000 };
}

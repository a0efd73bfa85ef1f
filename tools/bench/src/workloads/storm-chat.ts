import { setTimeout as pause } from 'node:timers/promises';
import { LoadProcess } from '../load/load-process.ts';
import type { ExchangeResult } from '../load/population.ts';
import { StormProcess } from '../load/storm-process.ts';
import { usageOf } from '../measure/processes.ts';
import { whenQuiet } from '../measure/roles.ts';
import type { Figures } from './figures.ts';
import { layered, neighbours } from './populations.ts';
import type { Trial } from './trial.ts';
import type { Workload } from './workload.ts';

const gateways = 3;
const pairs = 50;
const perSecond = 100;
/** Latencies are taken in pieces of so long, so that those of the storm stand alone. */
const windowSeconds = 2;
const groupSize = 10;
const groupsEach = 5;
const quietMs = 1_500;
const lookEveryMs = 2;
/** Numbers that the chatters do not have. */
const crowdFrom = 1_000_000;

export const stormNames = ['storm-chat', 'storm-chat-5000', 'storm-chat-15000'] as const;
/** The gateway is started again when all are back: it and the clients do not share the machine. */
const stormAloneNames = ['storm-chat-alone', 'storm-chat-5000-alone', 'storm-chat-15000-alone'] as const;
export type StormName = (typeof stormNames)[number] | (typeof stormAloneNames)[number];

/** Clients of the mobile kind come back all at once, while others chat on the gateways that they come to. */
function stormChat(users: number, startsLate = false): Workload {
  return {
    about: `${users.toLocaleString('en')} clients come back 1 s after their gateway went, while 100 others chat elsewhere${startsLate ? '; it starts again when all are back' : ''}`,
    targets: ['ours'],
    notRunning: 'it kills a gateway',
    besideSeconds: 60 + users / 50,
    processes: { gateways, cores: 1 },
    async run(trial) {
      const crowd = new LoadProcess();
      const storm = new StormProcess();
      try {
        return await measure(trial, users, { crowd, storm, startsLate });
      } finally {
        crowd.stop();
        storm.stop();
      }
    },
  };
}

async function measure(
  { target, load, seconds, log }: Trial,
  users: number,
  { crowd, storm, startsLate }: { crowd: LoadProcess; storm: StormProcess; startsLate: boolean },
): Promise<Figures> {
  const { codec, code, firstNumber = 5_550_000_000 } = target;
  const [goes = '', ...urls] = target.urls;
  const first = firstNumber + crowdFrom;
  log(`${users} users sign up, each in ${groupsEach} groups of ${groupSize}`);
  const signUp = { codec, urls: [...target.urls], code };
  await crowd.call('populate', {
    ...signUp,
    ...layered(users, groupSize, groupsEach),
    firstNumber: first,
  });
  await crowd.call('disconnect');
  await load.call('populate', { ...signUp, ...neighbours(pairs, 2), urls, firstNumber });
  log('all of them connect to the gateway that will go');
  await storm.connect({ url: goes, urls, code, users, firstNumber: first, groupsEach });
  await whenQuiet(target.roles(), quietMs);

  const chat = () => load.call('exchange', windowSeconds, { perSecond });
  await chat();
  log('the others chat');
  const quiet: ExchangeResult[] = [];
  for (let done = 0; done < seconds; done += windowSeconds) quiet.push(await chat());
  const before = residentBytes(target.roles());

  log('the gateway goes');
  let isOver = false;
  const over = storm.storm().finally(() => {
    isOver = true;
  });
  const gateway = target.roles().gateway?.[0] as number;
  process.kill(gateway, 'SIGKILL');
  const frozen = startsLate ? freezeNext(target, gateway) : undefined;
  const during: ExchangeResult[] = [];
  do during.push(await chat());
  while (!isOver);
  const { elapsedMs, failures, refused } = await over;
  const pid = await frozen;
  if (pid) process.kill(pid, 'SIGCONT');
  log(`the others' p99, each ${windowSeconds} s: ${inMs(quiet)} ms before, ${inMs(during)} ms after`);
  const fault = [...quiet, ...during].flatMap(({ faults }) => faults)[0];
  if (fault !== undefined) throw new Error(fault);
  if (failures > 0) throw new Error(`${failures} clients were refused, or closed when they were back`);
  return {
    all_in_s: elapsedMs / 1_000,
    handshakes_refused: refused,
    quiet_p99_ms: mean(quiet),
    p99_ms: mean(during),
    quiet_mb: before / 1_000_000,
    after_mb: residentBytes(target.roles()) / 1_000_000,
  };
}

/** Stops the process that the launcher starts in place of a gateway as soon as it is there. @returns its pid */
async function freezeNext({ roles }: Trial['target'], before: number): Promise<number> {
  for (;;) {
    const pid = roles().gateway?.[0];
    if (pid && pid !== before) {
      process.kill(pid, 'SIGSTOP');
      return pid;
    }
    await pause(lookEveryMs);
  }
}

const mean = (windows: readonly ExchangeResult[]) =>
  windows.reduce((sum, { latencyMs }) => sum + latencyMs.p99, 0) / windows.length;

const inMs = (windows: readonly ExchangeResult[]) =>
  windows.map(({ latencyMs }) => latencyMs.p99.toFixed(0)).join(', ');

/** Of everything but Postgres, which counts shared memory in each of its processes. */
function residentBytes({ postgres: _, ...roles }: Readonly<Record<string, readonly number[]>>): number {
  return usageOf(Object.values(roles).flat()).residentBytes;
}

export const stormWorkloads: Readonly<Record<StormName, Workload>> = {
  'storm-chat': stormChat(1_000),
  'storm-chat-5000': stormChat(5_000),
  'storm-chat-15000': stormChat(15_000),
  'storm-chat-alone': stormChat(1_000, true),
  'storm-chat-5000-alone': stormChat(5_000, true),
  'storm-chat-15000-alone': stormChat(15_000, true),
};

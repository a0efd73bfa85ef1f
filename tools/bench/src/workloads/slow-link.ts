import { setTimeout as pause } from 'node:timers/promises';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { Arrivals } from '../load/arrivals.ts';
import { LoadClient } from '../load/client.ts';
import { codecs } from '../load/codec.ts';
import type { ExchangeResult } from '../load/population.ts';
import { MemoryWatch } from '../measure/memory.ts';
import { whenQuiet } from '../measure/roles.ts';
import type { Figures } from './figures.ts';
import { neighbours } from './populations.ts';
import { populate, type Trial } from './trial.ts';
import { countUnread, storeWaiting, type WaitingSpec } from './waiting-messages.ts';
import type { Workload } from './workload.ts';

/** 16 Mbit/s, 50 ms. */
const link = { bytesPerSecond: 2_000_000, delayMs: 50 };
const bytes = 10_000;
const messages = 10;
const others = neighbours(50, 2);
const perSecond = 100;
/** Latencies are taken in pieces of so long: those of a stall stand out, however long all of it takes. */
const windowSeconds = 5;
const silenceMaxMs = 60_000;
const writtenWithinMs = 60_000;
const quietMs = 6_500;
/** Numbers that the others do not have. */
const readerFrom = 1_000_000;

export const slowLinkNames = ['slow-link', 'slow-link-100000'] as const;
export type SlowLinkName = (typeof slowLinkNames)[number];

type Reader = {
  readonly client: LoadClient;
  readonly faults: readonly string[];
  arrivals: Arrivals;
  /** When the last message came, in milliseconds of the process's clock. */
  cameAt: number;
};

/** Very much waits for a user behind a slow link, who comes back while others chat on the same gateway. */
function slowLink(groups: number): Workload {
  const mebibytes = (groups * messages * bytes) / 2 ** 20;
  const linkSeconds = Math.ceil((groups * messages * bytes) / link.bytesPerSecond);
  const count = (groups * messages).toLocaleString('en');
  return {
    about: `${count} messages of 10 KB in ${groups.toLocaleString('en')} groups wait for a user behind 16 Mbit/s; 100 others chat`,
    targets: ['ours'],
    notRunning: 'it writes its messages into the database',
    besideSeconds: 70 + Math.ceil(mebibytes / 20) + linkSeconds,
    trialSecondsMax: 600 + 3 * linkSeconds,
    processes: { gateways: 1, cores: 1 },
    async run(trial) {
      const [url = ''] = trial.target.urls;
      const proxy = await FaultyTcpProxy.start(url, { link });
      const reader = newReader(trial, proxy.urlOf(url));
      const end = () => {
        reader.client.disconnect();
        proxy.close();
      };
      trial.signal.addEventListener('abort', end);
      try {
        return await measure(trial, reader, { groups, messages, bytes });
      } finally {
        end();
        await proxy.stop();
      }
    },
  };
}

function newReader({ target }: Trial, url: string): Reader {
  const faults: string[] = [];
  const reader: Reader = {
    client: new LoadClient(sidOf(target, 0), url, codecs[target.codec], target.code, {
      onMessage(_client, groupId, number) {
        const fault = reader.arrivals.receive(groupId, number);
        if (fault !== undefined) faults.push(fault);
        else if (reader.arrivals.isComplete) reader.cameAt = performance.now();
      },
      onGroup() {},
      onFault: (fault) => faults.push(fault),
    }),
    faults,
    arrivals: new Arrivals([], 0),
    cameAt: 0,
  };
  return reader;
}

function sidOf({ firstNumber = 5_550_000_000 }: Trial['target'], user: number): string {
  return `1.${firstNumber + readerFrom + user}`;
}

async function measure(trial: Trial, reader: Reader, spec: WaitingSpec): Promise<Figures> {
  const { target, seconds, log } = trial;
  const stores = target.stores?.();
  if (!stores) throw new Error('the database is not ours');
  await populate(trial, others);
  await signUp(trial);
  const ids = await storeWaiting(stores.databaseUrl, sidOf(target, 0), sidOf(target, 1), spec, log);
  reader.arrivals = new Arrivals(ids, spec.messages);
  await whenQuiet(target.roles(), quietMs);

  await chat(trial);
  log('the others chat');
  const quiet: ExchangeResult[] = [];
  for (let done = 0; done < seconds; done += windowSeconds) quiet.push(await chat(trial));
  const memory = new MemoryWatch(() => target.roles(), trial.signal);
  try {
    log('the user behind the slow link signs in');
    const startedAt = performance.now();
    await reader.client.connectAndSignIn();
    const during = await chatUntilAllCame(trial, reader, startedAt);
    await untilWritten(stores.databaseUrl, sidOf(target, 0));
    await whenQuiet(target.roles(), quietMs);
    if (reader.faults[0] !== undefined) throw new Error(reader.faults[0]);
    return {
      waited: reader.arrivals.count,
      came_s: (reader.cameAt - startedAt) / 1_000,
      ...percentiles(quiet, 'quiet_'),
      ...percentiles(during, ''),
      worst_p99_ms: Math.max(...during.map(({ latencyMs }) => latencyMs.p99)),
      ...memory.figures(),
    };
  } finally {
    memory.stop();
  }
}

/** The user for whom all waits, and the one who has written it. */
async function signUp({ target }: Trial): Promise<void> {
  const [url = ''] = target.urls;
  for (const user of [0, 1]) {
    const events = { onMessage() {}, onGroup() {}, onFault() {} };
    const client = new LoadClient(sidOf(target, user), url, codecs[target.codec], target.code, events);
    await client.connect();
    await client.signUp();
    client.disconnect();
  }
}

async function chat({ load }: Trial): Promise<ExchangeResult> {
  const result = await load.call('exchange', windowSeconds, { perSecond });
  if (result.faults[0] !== undefined) throw new Error(result.faults[0]);
  return result;
}

/** @throws Error at a fault, and when nothing comes for a while */
async function chatUntilAllCame(
  trial: Trial,
  { arrivals, faults }: Reader,
  startedAt: number,
): Promise<ExchangeResult[]> {
  const windows: ExchangeResult[] = [];
  let known = 0;
  let progressAt = startedAt;
  while (!arrivals.isComplete) {
    const window = await chat(trial);
    windows.push(window);
    if (faults[0] !== undefined) throw new Error(faults[0]);
    const now = performance.now();
    if (arrivals.count > known) progressAt = now;
    known = arrivals.count;
    const came = `${known.toLocaleString('en')} messages have come, all of ${arrivals.wholeGroups} groups`;
    const p99 = `the others' p99 is ${window.latencyMs.p99.toFixed(1)} ms`;
    trial.log(`${came}, after ${Math.round((now - startedAt) / 1_000)} s; ${p99}`);
    if (now - progressAt > silenceMaxMs)
      throw new Error(`no more messages came for ${silenceMaxMs / 1_000} s`);
  }
  return windows;
}

/** Waits until what the user has acknowledged is written. @throws Error when it is not */
async function untilWritten(databaseUrl: string, sid: string): Promise<void> {
  const givesUpAt = performance.now() + writtenWithinMs;
  for (;;) {
    const groups = await countUnread(databaseUrl, sid);
    if (groups === 0) return;
    if (performance.now() > givesUpAt)
      throw new Error(`the acknowledgements of ${groups} groups are not written`);
    await pause(1_000);
  }
}

function percentiles(windows: readonly ExchangeResult[], prefix: string): Figures {
  const mean = (of: 'p50' | 'p99') =>
    windows.reduce((sum, { latencyMs }) => sum + latencyMs[of], 0) / windows.length;
  return { [`${prefix}p50_ms`]: mean('p50'), [`${prefix}p99_ms`]: mean('p99') };
}

export const slowLinkWorkloads: Readonly<Record<SlowLinkName, Workload>> = {
  'slow-link': slowLink(1_000),
  'slow-link-100000': slowLink(10_000),
};

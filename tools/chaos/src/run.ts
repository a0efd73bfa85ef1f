import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type StackDescription, startStackProcess } from '@hooligram/local';
import type { Balancer } from '@hooligram/testkit/balancers';
import { FaultyWebSocketProxy } from '@hooligram/testkit/proxies';
import type { SentinelSet } from '@hooligram/testkit/sentinels';
import { check } from './checker/check.ts';
import { emptyHistory, type History } from './checker/history.ts';
import { prepareDatabase, readCursors } from './database.ts';
import { excesses } from './excesses.ts';
import { failuresSince } from './failures.ts';
import type { FaultContext } from './faults/fault.ts';
import { type InjectedFault, injectFaults, seconds } from './inject-faults.ts';
import { type Load, startLoad } from './load/load.ts';
import type { Options } from './options.ts';
import { type Outage, outageReport } from './outages/outage-report.ts';
import { placedOn } from './outages/placed.ts';
import { createRandom } from './random.ts';
import { redisForms } from './redis-forms.ts';
import { MixedReleases } from './releases/mixed-releases.ts';
import { faultRows, type Report } from './report.ts';
import { countConnections, roll, startBalancer, type Update } from './rolling.ts';
import { schedule } from './schedule.ts';
import { selfTests } from './self-tests.ts';
import { startSentinels } from './sentinels.ts';
import { settle } from './settle.ts';
import { staleStates } from './stale-states.ts';

const progressEveryMs = 10_000;
/** As in production: the launcher's own times are short, for the user at the terminal. */
const drain = { DRAIN_SECONDS: process.env.DRAIN_SECONDS || '10', STOP_TIMEOUT_MS: '18000' };
/** A rolling update ends with the last gateway nearly empty: the others send it their surplus. */
const levelling = { LEVEL_FACTOR: '1.05' };

type Running = {
  readonly options: Options;
  readonly mixed: MixedReleases | undefined;
  readonly sentinels: SentinelSet | undefined;
  readonly stack: () => StackDescription;
  readonly crashes: readonly string[];
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
};

/** Starts a stack and the load, injects faults, waits for quiet, and checks. It stops what it has started. */
export async function run(
  options: Options,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<Report> {
  const sentinels = options.redis === 'sentinel' ? await startSentinels(options.dataDir) : undefined;
  try {
    return await onStack(options, sentinels, log, signal);
  } finally {
    await sentinels?.stop();
  }
}

async function onStack(
  options: Options,
  sentinels: SentinelSet | undefined,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<Report> {
  const env = options.rolling ? { ...drain, ...levelling } : drain;
  const { previous } = options;
  const mixed =
    previous === undefined ? undefined : await MixedReleases.prepare(previous, options, log, signal);
  log(`starting ${options.gateways} gateways and ${options.cores} cores; seed ${options.seed}`);
  const stack = await startStackProcess(
    {
      ...options,
      env,
      releases: mixed?.folder,
      redises: redisForms[options.redis],
      redisUrl: sentinels?.url,
    },
    log,
    signal,
  );
  try {
    const { describe, crashes } = stack;
    return await underLoad({ options, mixed, sentinels, stack: describe, crashes, log, signal });
  } finally {
    log('stopping');
    await stack.stop();
  }
}

async function underLoad(running: Running): Promise<Report> {
  const { options, stack, log, signal } = running;
  const { url, gateways, postgres } = stack();
  const history = emptyHistory();
  await prepareDatabase(postgres.url);
  const { selfTest } = options;
  const proxy = selfTest && (await FaultyWebSocketProxy.start(url, selfTests[selfTest].tamper));
  const random = createRandom(options.seed);
  const balancer = options.rolling && (await startBalancer(options.rolling, stack()));
  // Behind a load balancer nobody knows one gateway from another.
  const urls = balancer
    ? { url: balancer.url, ownUrls: [balancer.url] }
    : { url, ownUrls: gateways.map((gateway) => gateway.url) };
  const load = await startLoad({
    ...options,
    ...urls,
    ...{ history, random, signal, proxyUrl: proxy?.url, databaseUrl: postgres.url },
  });
  const progress = setInterval(() => log(progressLine(load, history)), progressEveryMs);
  try {
    log(`${load.devices.length} devices in ${load.groupsCount} groups are connected`);
    return await injectAndCheck(running, load, history, balancer);
  } finally {
    clearInterval(progress);
    await load.disconnect();
    await proxy?.stop();
    await balancer?.stop();
  }
}

async function injectAndCheck(
  running: Running,
  load: Load,
  history: History,
  balancer: Balancer | undefined,
): Promise<Report> {
  const { options, mixed, sentinels, stack, log, signal } = running;
  // Random numbers of its own, so that the order of faults follows from the seed alone.
  const random = createRandom(options.seed + 1);
  const { population } = load;
  const outages: Outage[] = [];
  const context = { stack, sentinels, population, history, outages, random, signal, log };
  const beganAt = performance.now();
  const until = beganAt + options.minutes * 60_000;
  const inject = async () => {
    if (balancer) return [await roll(context, load.probe, balancer)];
    if (mixed) return mixed.replaceAll(context, load.probe);
    return injectFaults(schedule(options.only, options.redis, random), until, load.probe, context);
  };
  const injected = await inject();

  const rate = {
    asked: options.rate,
    reached: (sumOf(load, 'count') * 1_000) / (performance.now() - beganAt),
  };
  log('the faults are over; waiting for quiet');
  await load.endSending();
  const databaseUrl = stack().postgres.url;
  const { snapshot, settledAfterMs, problems } = await settle(load.devices, history, databaseUrl, signal);
  log(`settled after ${seconds(settledAfterMs)} s; checking ${history.deliveries.length} deliveries`);
  const violations = check(history, snapshot);
  const update = balancer || mixed ? await updateOf(injected, history, balancer && context) : undefined;
  const shards = redisForms[options.redis];
  const noticed =
    outages.length > 0
      ? outageReport(history, outages, await placedOn(shards, databaseUrl, population))
      : undefined;
  const cursors = violations.length > 0 ? Object.fromEntries(await readCursors(databaseUrl)) : {};
  const interruptions = load.devices.flatMap((device) => device.interruptions);
  const names = injected.map(({ name }) => name);
  const neverBack = injected.flatMap(({ name, recoveryMs }) =>
    recoveryMs === undefined ? [`${name}: nothing crossed the gateways afterwards`] : [],
  );
  const report: Report = {
    options,
    deliveries: history.deliveries.length,
    messages: snapshot.messages.length,
    settledAfterMs,
    ...faultRows(injected, violations, history, interruptions),
    rate: { ...rate, leftOut: sumOf(load, 'leftOut') },
    problems: [
      ...problems,
      ...excesses(load.devices, names),
      ...neverBack,
      ...failedRequests(update),
      ...running.crashes,
    ],
    staleStates: staleStates(load.devices, snapshot),
    violations,
    update,
    outages: noticed,
  };
  mkdirSync(options.dataDir, { recursive: true });
  const file = join(options.dataDir, 'chaos-report.json');
  writeFileSync(file, `${JSON.stringify({ ...report, injected, cursors }, null, 2)}\n`);
  return report;
}

/** @param context if the connections of the gateways are to be counted */
async function updateOf(
  injected: readonly InjectedFault[],
  history: History,
  context: FaultContext | undefined,
): Promise<Update> {
  const [{ beganAt }, { endedAt }] = [injected[0], injected.at(-1)] as [InjectedFault, InjectedFault];
  const connections = context && (await countConnections(context, endedAt));
  return { tookMs: endedAt - beganAt, failures: failuresSince(history, beganAt), connections };
}

function failedRequests(update: Update | undefined): string[] {
  const failed = Object.entries(update?.failures.failed ?? {});
  return failed.map(([text, count]) => `${count} requests failed with "${text}"`);
}

function progressLine({ devices }: Load, { sends, deliveries }: History): string {
  const connected = devices.filter(({ isSignedIn }) => isSignedIn).length;
  const unanswered = devices.reduce((sum, { outbox }) => sum + outbox.size, 0);
  return `${connected}/${devices.length} connected, ${sends.length} messages sent, ${unanswered} requests unanswered, ${deliveries.length} deliveries`;
}

function sumOf({ messages }: Load, what: 'count' | 'leftOut'): number {
  return messages.reduce((sum, each) => sum + each[what], 0);
}

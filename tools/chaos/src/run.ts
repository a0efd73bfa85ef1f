import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type StackDescription, startStackProcess } from '@hooligram/local';
import type { Balancer } from '@hooligram/testkit/balancers';
import { FaultyWebSocketProxy } from '@hooligram/testkit/proxies';
import { check } from './checker/check.ts';
import { emptyHistory, type History } from './checker/history.ts';
import { prepareDatabase, readCursors } from './database.ts';
import { excesses } from './excesses.ts';
import { failuresSince } from './failures.ts';
import type { FaultContext } from './faults/fault.ts';
import { type InjectedFault, injectFaults, seconds } from './inject-faults.ts';
import { type Load, startLoad } from './load/load.ts';
import type { Options } from './options.ts';
import { createRandom } from './random.ts';
import { faultRows, type Report } from './report.ts';
import { countConnections, type Rolling, roll, startBalancer } from './rolling.ts';
import { schedule } from './schedule.ts';
import { selfTests } from './self-tests.ts';
import { settle } from './settle.ts';
import { staleStates } from './stale-states.ts';

const progressEveryMs = 10_000;
/** As in production: the launcher's own times are short, for the user at the terminal. */
const drain = { DRAIN_SECONDS: process.env.DRAIN_SECONDS || '10', STOP_TIMEOUT_MS: '18000' };
/** A rolling update ends with the last gateway nearly empty: the others send it their surplus. */
const levelling = { LEVEL_FACTOR: '1.05' };

type Running = {
  readonly options: Options;
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
  const env = options.rolling ? { ...drain, ...levelling } : drain;
  log(`starting ${options.gateways} gateways and ${options.cores} cores; seed ${options.seed}`);
  const stack = await startStackProcess({ ...options, env }, log, signal);
  try {
    return await underLoad({ options, stack: stack.describe, crashes: stack.crashes, log, signal });
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
    log(`${load.devices.length} devices in ${load.population.groups.length} groups are connected`);
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
  const { options, stack, log, signal } = running;
  // Random numbers of its own, so that the order of faults follows from the seed alone.
  const random = createRandom(options.seed + 1);
  const context = { stack, population: load.population, history, random, signal, log };
  const beganAt = performance.now();
  const until = beganAt + options.minutes * 60_000;
  const injected = balancer
    ? [await roll(context, load.probe, balancer)]
    : await injectFaults(schedule(options.only, random), until, load.probe, context);

  const rate = {
    asked: options.rate,
    reached: (load.messages.count * 1_000) / (performance.now() - beganAt),
  };
  log('the faults are over; waiting for quiet');
  await load.endSending();
  const databaseUrl = stack().postgres.url;
  const { snapshot, settledAfterMs, problems } = await settle(load.devices, history, databaseUrl, signal);
  log(`settled after ${seconds(settledAfterMs)} s; checking ${history.deliveries.length} deliveries`);
  const violations = check(history, snapshot);
  const rolling = balancer && (await rollingOf(injected[0] as InjectedFault, history, context));
  const cursors = violations.length > 0 ? Object.fromEntries(await readCursors(databaseUrl)) : {};
  const interruptions = load.devices.flatMap((device) => device.interruptions);
  const neverBack = injected.flatMap(({ name, recoveryMs }) =>
    recoveryMs === undefined ? [`${name}: nothing crossed the gateways afterwards`] : [],
  );
  const report: Report = {
    options,
    deliveries: history.deliveries.length,
    messages: snapshot.messages.length,
    settledAfterMs,
    ...faultRows(injected, violations, history, interruptions),
    rate: { ...rate, leftOut: load.messages.leftOut },
    problems: [
      ...problems,
      ...excesses(load.devices),
      ...neverBack,
      ...failedRequests(rolling),
      ...running.crashes,
    ],
    staleStates: staleStates(load.devices, snapshot),
    violations,
    rolling,
  };
  mkdirSync(options.dataDir, { recursive: true });
  const file = join(options.dataDir, 'chaos-report.json');
  writeFileSync(file, `${JSON.stringify({ ...report, injected, cursors }, null, 2)}\n`);
  return report;
}

async function rollingOf(injected: InjectedFault, history: History, context: FaultContext): Promise<Rolling> {
  const connections = await countConnections(context, injected.endedAt);
  return { injected, failures: failuresSince(history, injected.beganAt), connections };
}

/** A rolling update is no fault: no request may fail. */
function failedRequests(rolling: Rolling | undefined): string[] {
  const failed = Object.entries(rolling?.failures.failed ?? {});
  return failed.map(([text, count]) => `${count} requests failed with "${text}"`);
}

function progressLine({ devices }: Load, { sends, deliveries }: History): string {
  const connected = devices.filter(({ isSignedIn }) => isSignedIn).length;
  const unanswered = devices.reduce((sum, { outbox }) => sum + outbox.size, 0);
  return `${connected}/${devices.length} connected, ${sends.length} messages sent, ${unanswered} requests unanswered, ${deliveries.length} deliveries`;
}

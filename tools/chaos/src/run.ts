import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type StackDescription, startStackProcess } from '@hooligram/local';
import { runCampaign, seconds } from './campaign.ts';
import { prepareDatabase, readCursors } from './database.ts';
import { excesses } from './excesses.ts';
import { now } from './load/clock.ts';
import { type Load, startLoad } from './load/load.ts';
import type { Options } from './options.ts';
import { createRandom } from './random.ts';
import { harmRows, type Report } from './report.ts';
import { sabotages } from './sabotage/index.ts';
import { startMiddleman } from './sabotage/middleman.ts';
import { schedule } from './schedule.ts';
import { settle } from './settle.ts';
import { staleStates } from './stale-states.ts';
import { emptyLedger, type Ledger } from './verdict/ledger.ts';
import { judge } from './verdict/verdict.ts';

const progressEveryMs = 10_000;
/** As in production: the launcher's own is short, for the one who waits at the terminal. */
const drain = { DRAIN_SECONDS: process.env.DRAIN_SECONDS || '10', STOP_TIMEOUT_MS: '18000' };

type Running = {
  readonly options: Options;
  readonly stack: () => StackDescription;
  readonly crashes: readonly string[];
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
};

/** Stack, load, harm, quiet, verdict. What was started is stopped, however it ends. */
export async function run(
  options: Options,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<Report> {
  log(`starting ${options.gateways} gateways and ${options.cores} cores; seed ${options.seed}`);
  const stack = await startStackProcess({ ...options, env: drain }, log, signal);
  try {
    return await harmAndJudge({ options, stack: stack.describe, crashes: stack.crashes, log, signal });
  } finally {
    log('stopping');
    await stack.stop();
  }
}

async function harmAndJudge(running: Running): Promise<Report> {
  const { options, stack, log, signal } = running;
  const { url, gateways, postgres } = stack();
  const ledger = emptyLedger();
  await prepareDatabase(postgres.url);
  const detour = options.sabotage ? await startMiddleman(url, sabotages[options.sabotage].meddle) : undefined;
  const random = createRandom(options.seed);
  const load = await startLoad({
    ...options,
    url,
    ownUrls: gateways.map((gateway) => gateway.url),
    ledger,
    random,
    signal,
    detourUrl: detour?.url,
  });
  const progress = setInterval(() => log(progressLine(load, ledger)), progressEveryMs);
  try {
    log(`${load.devices.length} devices in ${load.population.groups.length} groups are connected`);
    return await campaignAndVerdict(running, load, ledger);
  } finally {
    clearInterval(progress);
    load.disconnect();
    detour?.close();
  }
}

async function campaignAndVerdict(running: Running, load: Load, ledger: Ledger): Promise<Report> {
  const { options, stack, log, signal } = running;
  // A chance of its own, so that the order of harms follows from the seed alone.
  const random = createRandom(options.seed + 1);
  const context = { stack, population: load.population, ledger, random, signal, log };
  const until = now() + options.minutes * 60_000;
  const done = await runCampaign(schedule(options.only, random), until, load.probe, context);

  log('the harm is over; waiting for quiet');
  await load.endSending();
  const databaseUrl = stack().postgres.url;
  const { truth, settledAfterMs, troubles } = await settle(load.devices, ledger, databaseUrl, signal);
  log(`settled after ${seconds(settledAfterMs)} s; judging ${ledger.deliveries.length} deliveries`);
  const faults = judge(ledger, truth);
  const cursors = faults.length > 0 ? Object.fromEntries(await readCursors(databaseUrl)) : {};
  const interruptions = load.devices.flatMap((device) => device.interruptions);
  const neverBack = done.flatMap(({ name, recoveryMs }) =>
    recoveryMs === undefined ? [`${name}: nothing crossed the gateways afterwards`] : [],
  );
  const report: Report = {
    options,
    deliveries: ledger.deliveries.length,
    messages: truth.messages.length,
    settledAfterMs,
    ...harmRows(done, faults, ledger, interruptions),
    troubles: [...troubles, ...excesses(load.devices), ...neverBack, ...running.crashes],
    staleStates: staleStates(load.devices, truth),
    faults,
  };
  mkdirSync(options.dataDir, { recursive: true });
  const file = join(options.dataDir, 'chaos-report.json');
  writeFileSync(file, `${JSON.stringify({ ...report, done, cursors }, null, 2)}\n`);
  return report;
}

function progressLine({ devices }: Load, { sends, deliveries }: Ledger): string {
  const connected = devices.filter(({ isSignedIn }) => isSignedIn).length;
  const unanswered = devices.reduce((sum, { outbox }) => sum + outbox.size, 0);
  return `${connected}/${devices.length} connected, ${sends.length} messages sent, ${unanswered} requests unanswered, ${deliveries.length} deliveries`;
}

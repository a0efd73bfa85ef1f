import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type StackDescription, startStackProcess } from '@hooligram/local';
import { Prometheus } from '@hooligram/observability';
import { emptyHistory } from '../checker/history.ts';
import { startFailovers } from '../failovers.ts';
import type { FaultContext } from '../faults/fault.ts';
import { seconds } from '../inject-faults.ts';
import { type Load, startLoad } from '../load/load.ts';
import type { Options } from '../options.ts';
import { createRandom } from '../random.ts';
import { redisForms } from '../redis-forms.ts';
import { type AlertFault, type AlertFaultName, alertFaults } from './alert-faults.ts';
import { type Canary, startCanary } from './canary.ts';
import { fires, noteFired, silence } from './firing.ts';
import { ReadinessLog } from './readiness-log.ts';
import { unanswered } from './unanswered.ts';

const scrapeEveryMs = 1_000;
/** In a short campaign, which is for busy machines too: a scrape may take as long. */
const scrapeEveryMsShort = 2_000;
/** The launcher's ports end below it. */
const prometheusPortOffset = 1_300;
/** After a fault: its alert may come a moment later, and what follows from it must not. Most rules look back for five minutes. */
const aftermathMinMs = 15_000;
const lookBackMs = 300_000;
/** A core that did not notice itself that Redis was emptied finds out when it looks after the sweep. */
const processTimes = { DRAIN_SECONDS: '5', SWEEP_EVERY_MS: '5000' };

export type AlertRow = {
  readonly about: string;
  /** Undefined if none must fire, because of that. */
  readonly alert: string | undefined;
  readonly because: string | undefined;
  /** From the beginning of the fault; undefined if it did not fire. */
  readonly firedAfterMs: number | undefined;
  /** What fired beside it. */
  readonly others: readonly string[];
  readonly readiness: readonly string[];
};

export type AlertsReport = {
  readonly quietMs: number;
  /** Alerts that fired while there was no fault. */
  readonly firedInQuiet: readonly string[];
  readonly rows: readonly AlertRow[];
  /** A line for each panel of the boards that has no data afterwards, and for each rule that fails. */
  readonly unanswered: readonly string[];
  readonly scale: number;
  /** How many processes wanted a CPU, as an average of a minute: before the first fault, and after each. */
  readonly loads: readonly number[];
  /** Server CPU in microseconds an acknowledged delivery, without Postgres, as the recording rule has it. */
  readonly cpuMicrosPerDelivery: number;
};

type Campaign = {
  readonly options: Options;
  readonly prometheus: Prometheus;
  readonly readiness: ReadinessLog;
  readonly context: FaultContext & { readonly canary: Canary };
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
};

/** Starts a stack under load and a Prometheus with the repository's rules; injects faults and notes what fires. */
export async function runAlerts(
  options: Options,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<AlertsReport> {
  log(`starting ${options.gateways} gateways and ${options.cores} cores`);
  const stops: (() => unknown)[] = [];
  try {
    const failovers = await startFailovers(options.redis, options.dataDir);
    stops.push(() => failovers?.stop());
    const own = { env: processTimes, redises: redisForms[options.redis], redisUrl: failovers?.url };
    const stack = await startStackProcess({ ...options, ...own }, log, signal);
    stops.push(() => stack.stop());
    const canary = await startCanary(options, stack.describe(), signal);
    stops.push(() => canary.stop());
    const prometheus = await startPrometheus(options, stack.describe(), canary);
    stops.push(() => prometheus.stop());
    const history = emptyHistory();
    const random = createRandom(options.seed);
    const load = await startChaosLoad(options, stack.describe(), history, random, signal);
    stops.push(() => load.disconnect());
    const readiness = new ReadinessLog(stack.describe);
    stops.push(() => readiness.close());
    const { population } = load;
    const context = { stack: stack.describe, failovers, population, history, random, signal, log, canary };
    return await inject({ options, prometheus, readiness, context, log, signal });
  } finally {
    log('stopping');
    await stopAll(stops.reverse(), log);
  }
}

/** Whatever one of them fails with, the others are stopped: the stack is the last. */
async function stopAll(stops: readonly (() => unknown)[], log: Campaign['log']): Promise<void> {
  for (const stop of stops) {
    try {
      await stop();
    } catch (error) {
      log(`could not be stopped: ${(error as Error).message}`);
    }
  }
}

function startPrometheus(
  options: Options,
  { gateways, cores }: StackDescription,
  canary: Canary,
): Promise<Prometheus> {
  return Prometheus.start({
    gateways: gateways.map(({ admin }) => admin),
    cores: cores.map(({ admin }) => admin),
    canaries: [canary.admin],
    port: options.port + prometheusPortOffset,
    dir: join(options.dataDir, 'prometheus'),
    scrapeEveryMs: options.short ? scrapeEveryMsShort : scrapeEveryMs,
    scale: options.alertScale,
  });
}

function startChaosLoad(
  options: Options,
  { url, gateways, postgres }: StackDescription,
  history: ReturnType<typeof emptyHistory>,
  random: ReturnType<typeof createRandom>,
  signal: AbortSignal,
): Promise<Load> {
  const ownUrls = gateways.map((gateway) => gateway.url);
  return startLoad({ ...options, url, ownUrls, history, random, signal, databaseUrl: postgres.url });
}

async function inject(campaign: Campaign): Promise<AlertsReport> {
  const { options, prometheus, log, signal } = campaign;
  // The first sign-ins of all users are no quiet.
  await silence(prometheus, signal);
  const quietMs = options.quietMinutes * 60_000;
  log(`quiet for ${seconds(quietMs)} s`);
  const firedInQuiet = new Map<string, number>();
  await noteFired(firedInQuiet, prometheus, pause(quietMs, undefined, { signal }));
  const [cost = Number.NaN] = await prometheus.query('sum(hooligram:cpu_seconds_per_delivery:rate5m) * 1e6');
  const rows: AlertRow[] = [];
  const loads = [loadavg()[0] ?? 0];
  for (const name of options.alertFaults) {
    rows.push(await injectOne(campaign, name));
    loads.push(loadavg()[0] ?? 0);
  }
  return {
    loads,
    quietMs,
    firedInQuiet: [...firedInQuiet.keys()],
    rows,
    unanswered: await unanswered(prometheus, signal),
    scale: options.alertScale,
    cpuMicrosPerDelivery: cost,
  };
}

async function injectOne(campaign: Campaign, name: AlertFaultName): Promise<AlertRow> {
  const { options, prometheus, readiness, context, log, signal } = campaign;
  const { about, alert, because, run } = alertFaults[name];
  await silence(prometheus, signal);
  readiness.take();
  const fired = new Map<string, number>();
  const aftermathMs = Math.max(aftermathMinMs, lookBackMs * options.alertScale);
  const over =
    options.short && alert !== undefined
      ? runUntilFired(campaign, run, () => fires(alert, fired, signal))
      : run(context).then(() => pause(aftermathMs, undefined, { signal }));
  await noteFired(fired, prometheus, over);
  const firedAfterMs = alert === undefined ? undefined : fired.get(alert);
  const others = [...fired.keys()].filter((other) => other !== alert);
  const outcome = firedAfterMs === undefined ? 'did not fire' : `after ${seconds(firedAfterMs)} s`;
  log(
    `${name}: ${alert === undefined ? 'no alert of its own' : `${alert} ${outcome}`}` +
      `${others.length > 0 ? `, and ${others.join(', ')}` : ''}`,
  );
  return { about, alert, because, firedAfterMs, others, readiness: readiness.take() };
}

/** A fault of a short campaign: it lasts until its alert fires, and is over when no alert is left. */
async function runUntilFired(
  { prometheus, context, signal }: Campaign,
  run: AlertFault['run'],
  untilFired: () => Promise<void>,
): Promise<void> {
  await run({ ...context, untilOver: untilFired });
  await untilFired();
  await silence(prometheus, signal);
}

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type StackDescription, startStackProcess } from '@hooligram/local';
import { Prometheus } from '@hooligram/observability';
import { emptyHistory } from '../checker/history.ts';
import type { FaultContext } from '../faults/fault.ts';
import { seconds } from '../inject-faults.ts';
import { type Load, startLoad } from '../load/load.ts';
import type { Options } from '../options.ts';
import { createRandom } from '../random.ts';
import { type AlertFault, alertFaults } from './alert-faults.ts';
import { type Canary, startCanary } from './canary.ts';
import { ReadinessLog } from './readiness-log.ts';
import { unanswered } from './unanswered.ts';

const scrapeEveryMs = 1_000;
/** In a short campaign, which is for busy machines too: a scrape may take as long. */
const scrapeEveryMsShort = 2_000;
/** The launcher's ports end below it. */
const prometheusPortOffset = 1_300;
const pollMs = 100;
/** After a fault: its alert may come a moment later, and what follows from it must not. */
const aftermathMs = 15_000;
const silenceTimeoutMs = 180_000;
/** In a short campaign: a fault whose alert has not fired within this time ends. No machine is so busy. */
const firesTimeoutMs = 90_000;

type AlertRow = {
  readonly fault: string;
  readonly about: string;
  readonly alert: string;
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
  const stack = await startStackProcess({ ...options, env: { DRAIN_SECONDS: '5' } }, log, signal);
  const stops: (() => unknown)[] = [() => stack.stop()];
  try {
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
    const context = { stack: stack.describe, population, history, random, signal, log, canary };
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
  await silence(campaign);
  const quietMs = options.quietMinutes * 60_000;
  log(`quiet for ${seconds(quietMs)} s`);
  const firedInQuiet = new Map<string, number>();
  await noteFired(firedInQuiet, prometheus, pause(quietMs, undefined, { signal }));
  const [cost = Number.NaN] = await prometheus.query('sum(hooligram:cpu_seconds_per_delivery:rate5m) * 1e6');
  const rows: AlertRow[] = [];
  for (const [name, fault] of Object.entries(alertFaults)) {
    if (!(options.short && fault.isLeftOut)) rows.push(await injectOne(campaign, name, fault));
  }
  return {
    quietMs,
    firedInQuiet: [...firedInQuiet.keys()],
    rows,
    unanswered: await unanswered(prometheus, signal),
    scale: options.alertScale,
    cpuMicrosPerDelivery: cost,
  };
}

async function injectOne(campaign: Campaign, name: string, fault: AlertFault): Promise<AlertRow> {
  const { options, prometheus, readiness, context, log, signal } = campaign;
  await silence(campaign);
  readiness.take();
  const fired = new Map<string, number>();
  const untilFired = () => fires(fault.alert, fired, signal);
  const over = options.short
    ? fault
        .run({ ...context, untilOver: untilFired })
        .then(untilFired)
        .then(() => silence(campaign))
    : fault.run(context).then(() => pause(aftermathMs, undefined, { signal }));
  await noteFired(fired, prometheus, over);
  const firedAfterMs = fired.get(fault.alert);
  const others = [...fired.keys()].filter((alert) => alert !== fault.alert);
  log(
    `${name}: ${fault.alert} ${firedAfterMs === undefined ? 'did not fire' : `after ${seconds(firedAfterMs)} s`}` +
      `${others.length > 0 ? `, and ${others.join(', ')}` : ''}`,
  );
  const { about, alert } = fault;
  return { fault: name, about, alert, firedAfterMs, others, readiness: readiness.take() };
}

/** Waits until no alert is pending or firing. @throws Error when one stays */
async function silence({ prometheus, signal }: Campaign): Promise<void> {
  const begunAt = performance.now();
  for (;;) {
    const alerts = await prometheus.alerts();
    const isScraped = (await prometheus.query('hooligram:acknowledged:rate5m > 0')).length > 0;
    if (alerts.length === 0 && isScraped) return;
    if (performance.now() - begunAt > silenceTimeoutMs) {
      throw new Error(`no silence: ${alerts.map(({ name }) => name).join(', ') || 'nothing is scraped'}`);
    }
    await pause(pollMs, undefined, { signal });
  }
}

/** Waits until an alert is noted as fired, or that has taken too long. */
async function fires(alert: string, fired: ReadonlyMap<string, number>, signal: AbortSignal): Promise<void> {
  const begunAt = performance.now();
  while (!fired.has(alert) && performance.now() - begunAt < firesTimeoutMs) {
    await pause(pollMs, undefined, { signal });
  }
}

/** Notes by alert, after how many milliseconds it first fired before `end` was settled. */
async function noteFired(
  fired: Map<string, number>,
  prometheus: Prometheus,
  end: Promise<unknown>,
): Promise<void> {
  const begunAt = performance.now();
  let isOver = false;
  const over = end.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  while (!isOver) {
    for (const { name, state } of await prometheus.alerts()) {
      if (state === 'firing' && !fired.has(name)) fired.set(name, performance.now() - begunAt);
    }
    await pause(pollMs);
  }
  await over;
}

import { setTimeout as pause } from 'node:timers/promises';
import type { Span } from '../load/latencies.ts';
import type { LoadProcess } from '../load/load-process.ts';
import type { ExchangeResult } from '../load/population.ts';
import type { PopulationSpec } from '../load/population-spec.ts';
import type { Rate } from '../load/rate.ts';
import { costFigures, readCosts, reportedWithinMs } from '../measure/costs.ts';
import { cpuBetween, type RoleUsage, total, usageByRole, whenQuiet } from '../measure/roles.ts';
import { near, type Turn, turnFigures, turnOrder, turnSeconds } from '../measure/turns.ts';
import type { RunningTarget } from '../targets/target.ts';
import type { Figures } from './figures.ts';

/** One repetition of a workload: a running target, the load on it, and how both are measured. */
export type Trial = {
  readonly target: RunningTarget;
  readonly load: LoadProcess;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** How many pairs the workloads with cold pairs have. */
  readonly pairs: number;
  /** How many users the workload day has. */
  readonly users: number;
  /** How many times as fast what is paced sends. */
  readonly rateTimes: number;
  /** How many messages the workload year stores. */
  readonly rows: number;
  /** Whether changed rows are counted, for which Postgres takes ten seconds before and after. */
  readonly countsRows: boolean;
  /** Starts the profilers of the servers, and stops them when it is called again. */
  toggleProfilers(): void;
  /** Where traced processes write what they have noted. */
  readonly tracesFolder: string;
  /** For the plans of the workload year. */
  readonly plansFolder: string;
  log(line: string): void;
  /** The trial is given up: its own processes have to end. */
  readonly signal: AbortSignal;
};

/** Longer than every delay of the servers: the last cursors are written and the last delivery checks run by then. */
const quietMs = 6_500;
const calmMs = 1_500;
const saturatedShare = 0.9;
/** At a low rate, the first thousands of messages are a measurement of V8's compiler. */
const warmUpMessages = 3_000;
/** They are sent so many times as fast as what is measured, which is still a message at a time. */
const warmUpFactor = 3;

/** Signs all users up and in, and creates their groups. */
export async function populate(
  { target, load, log }: Pick<Trial, 'target' | 'load' | 'log'>,
  population: Pick<PopulationSpec, 'users' | 'groups' | 'streams' | 'mayRepeat' | 'localAddress'>,
): Promise<void> {
  const { users, groups } = population;
  log(`${users} users sign up, ${groups.length} groups are created`);
  const { codec, urls, code, firstNumber = 5_550_000_000 } = target;
  await load.call('populate', { ...population, codec, urls, code, firstNumber });
  await whenQuiet(target.roles(), calmMs);
}

/** Sends for a while at a rate, and takes all figures of it. @throws Error at a fault */
export function exchange(trial: Trial, rate: Rate): Promise<Figures> {
  const send = (at: Rate) => (seconds: number) =>
    trial.load.call('exchange', seconds, at, trial.target.scrape !== undefined);
  if (!('perSecond' in rate) || trial.warmUpSeconds * rate.perSecond >= warmUpMessages) {
    return measured(trial, send(rate));
  }
  const perSecond = rate.perSecond * warmUpFactor;
  const warmUpSeconds =
    trial.warmUpSeconds && Math.max(trial.warmUpSeconds, Math.ceil(warmUpMessages / perSecond));
  return measured({ ...trial, warmUpSeconds }, send(rate), send({ perSecond }));
}

/**
 * Warms up with some work, does it again, and takes all figures of it.
 * @param work sends for so many seconds, and until all is delivered
 * @throws Error at a fault
 */
export async function measured(
  trial: Trial,
  work: (seconds: number) => Promise<ExchangeResult>,
  warmUp = work,
): Promise<Figures> {
  const { target, seconds, warmUpSeconds, countsRows, log } = trial;
  if (warmUpSeconds > 0) {
    log(`warming up for ${warmUpSeconds} s`);
    await warmUp(warmUpSeconds);
    await whenQuiet(target.roles(), calmMs);
  }
  if (target.scrape) return inTurns(trial, target.scrape, work);
  if (target.stores && countsRows) await whenQuiet(target.roles(), reportedWithinMs);
  log(`measuring for ${seconds} s`);
  const costs = await readCosts(target);
  const before = usageByRole(target.roles());
  trial.toggleProfilers();
  const result = await work(seconds);
  trial.toggleProfilers();
  await whenQuiet(target.roles(), quietMs);
  const figures = exchangeFigures(result, before, usageByRole(target.roles()));
  if (target.stores && countsRows) await whenQuiet(target.roles(), reportedWithinMs - quietMs);
  const { rows_per_message, ...counts } = costFigures(costs, await readCosts(target), result.sent);
  return { ...figures, ...counts, ...(countsRows && rows_per_message ? { rows_per_message } : {}) };
}

/** Does some work in turns, of which half are scraped, and compares them. What a turn leaves to be done counts in the next. */
async function inTurns(
  { target, load, seconds, toggleProfilers, log }: Trial,
  scrape: (spreadMs: number) => Promise<readonly Span[]>,
  work: (seconds: number) => Promise<ExchangeResult>,
): Promise<Figures> {
  const order = turnOrder(seconds);
  const quarterMs = (turnSeconds * 1_000) / 4;
  log(`measuring in ${order.length} turns of ${turnSeconds} s`);
  const turns: Turn[] = [];
  let before = usageByRole(target.roles());
  toggleProfilers();
  for (const isScraped of order) {
    const scraping = isScraped ? pause(quarterMs).then(() => scrape(2 * quarterMs)) : undefined;
    const [result, spans] = await Promise.all([work(turnSeconds), scraping]);
    const away = spans && (await load.call('latenciesOutside', spans.map(near)));
    const after = usageByRole(target.roles());
    const figures = exchangeFigures(result, before, after);
    before = after;
    turns.push({ isScraped, figures, latencies: result.latencies, ...(away ? { away } : {}) });
    const { cpu_us = Number.NaN, p50_ms, p99_ms } = figures;
    log(
      `turn ${turns.length} of ${order.length}, ${isScraped ? 'scraped' : 'not scraped'}: ${cpu_us.toFixed(1)} µs a delivery, p50 ${p50_ms?.toFixed(2)}, p99 ${p99_ms?.toFixed(2)} ms`,
    );
  }
  toggleProfilers();
  return turnFigures(turns);
}

function exchangeFigures(result: ExchangeResult, before: RoleUsage, after: RoleUsage): Figures {
  const { sent, delivered, signIns, elapsedMs, latencyMs, cpuMs, faults } = result;
  if (faults[0] !== undefined) throw new Error(faults[0]);
  const seconds = elapsedMs / 1_000;
  const cpu = cpuBetween(before, after);
  const byRole = Object.entries(cpu).map(([role, ms]) => [`cpu_${role}_us`, (ms * 1_000) / delivered]);
  return {
    messages_per_s: sent / seconds,
    deliveries_per_s: delivered / seconds,
    p50_ms: latencyMs.p50,
    p95_ms: latencyMs.p95,
    p99_ms: latencyMs.p99,
    ...(signIns > 0 ? { sign_ins_per_s: signIns / seconds } : {}),
    ...(byRole.length > 0 ? { cpu_us: (total(cpu) * 1_000) / delivered } : {}),
    ...Object.fromEntries(byRole),
    load_cpu_us: (cpuMs * 1_000) / delivered,
    load_share: cpuMs / elapsedMs,
    ...(cpuMs / elapsedMs > saturatedShare ? { is_saturated: 1 } : {}),
  };
}

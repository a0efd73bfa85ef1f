import type { ExchangeResult } from '../load/calls.ts';
import { mergeLatencies } from '../load/latencies.ts';
import type { LoadProcess } from '../load/load-process.ts';
import type { Pace } from '../load/pace.ts';
import type { Population } from '../load/population.ts';
import { cpuBetween, type RoleUsage, total, usageByRole, whenQuiet } from '../measure/roles.ts';
import type { RunningTarget } from '../targets/target.ts';
import type { Figures } from './figures.ts';

/** A running target, the load on it, and how both are measured. */
export type Stage = {
  readonly target: RunningTarget;
  readonly load: LoadProcess;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Starts the profilers of the servers, and stops them when it is called again. */
  toggleProfilers(): void;
  log(line: string): void;
};

/** Longer than anything that the servers put off: the last receipts, cursors and audits are written then. */
const quietMs = 6_500;
const calmMs = 1_500;
const saturatedShare = 0.9;

export async function settle(
  { target, load, log }: Stage,
  population: Pick<Population, 'people' | 'groups' | 'conversations'>,
): Promise<void> {
  const { people, groups } = population;
  log(`${people} people sign up, ${groups.length} groups are made`);
  const { speech, urls, code, firstNumber = 5_550_000_000 } = target;
  await load.call('settle', { ...population, speech, urls, code, firstNumber });
  await whenQuiet(target.roles(), calmMs);
}

/** Sends for a while at a pace, and takes all figures of it. */
export async function exchange(stage: Stage, pace: Pace): Promise<Figures> {
  const { target, load, seconds, warmUpSeconds, log } = stage;
  if (warmUpSeconds > 0) {
    log(`warming up for ${warmUpSeconds} s`);
    await load.call('exchange', warmUpSeconds, pace);
    await whenQuiet(target.roles(), calmMs);
  }
  log(`measuring for ${seconds} s`);
  const before = usageByRole(target.roles());
  stage.toggleProfilers();
  const result = await load.call('exchange', seconds, pace);
  stage.toggleProfilers();
  await whenQuiet(target.roles(), quietMs);
  return exchangeFigures(result, before, usageByRole(target.roles()));
}

function exchangeFigures(result: ExchangeResult, before: RoleUsage, after: RoleUsage): Figures {
  const { sent, delivered, elapsedMs, latencies, cpuMs, faults } = result;
  if (faults[0] !== undefined) throw new Error(faults[0]);
  const seconds = elapsedMs / 1_000;
  const cpu = cpuBetween(before, after);
  const latency = mergeLatencies([latencies]);
  const millisecondsAt = (percentile: number) => latency.getValueAtPercentile(percentile) / 1_000;
  const byRole = Object.entries(cpu).map(([role, ms]) => [`cpu_${role}_us`, (ms * 1_000) / delivered]);
  return {
    messages_per_s: sent / seconds,
    deliveries_per_s: delivered / seconds,
    p50_ms: millisecondsAt(50),
    p95_ms: millisecondsAt(95),
    p99_ms: millisecondsAt(99),
    ...(byRole.length > 0 ? { cpu_us: (total(cpu) * 1_000) / delivered } : {}),
    ...Object.fromEntries(byRole),
    load_cpu_us: (cpuMs * 1_000) / delivered,
    load_share: cpuMs / elapsedMs,
    ...(cpuMs / elapsedMs > saturatedShare ? { is_saturated: 1 } : {}),
  };
}

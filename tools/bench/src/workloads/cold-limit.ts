import { setTimeout as pause } from 'node:timers/promises';
import type { ExchangeResult } from '../load/population.ts';
import { whenQuiet } from '../measure/roles.ts';
import type { Figures } from './figures.ts';
import { layered } from './populations.ts';
import { populate, type Trial } from './trial.ts';
import type { Workload } from './workload.ts';

/** 40,000 pairs: at 8,000 messages a second one every 5 seconds each. */
const users = layered(8_000, 2, 10);
/** Messages a second. Each is tried after the one before it was held. */
const rates = [2_000, 4_000, 6_000, 7_000, 8_000, 9_000];
/** The checks of a rate begin 5 seconds after it. */
const stepSecondsMin = 12;
/** A check may be late by its bucket, and by a portion; what is later has more before it than is done. */
const overdueMaxSeconds = 2;
/** Less of the rate than this was not sent and delivered in time. */
const heldShare = 0.95;
/** A core looks itself every 5 seconds. Reading all its metrics each second was a twelfth of its work. */
const pollMs = 2_500;
const calmMs = 1_500;

export const coldLimit: Workload = {
  about: `40,000 pairs with a message now and then, more and more of them, until jobs or messages pile up`,
  targets: ['ours'],
  besideSeconds: 130,
  notRunning: 'it reads how far the jobs are behind',
  async run(trial) {
    const { target, log } = trial;
    await populate(trial, { ...users, streams: users.groups.length, mayRepeat: true });
    let held: Figures | undefined;
    for (const perSecond of rates) {
      const step = await tryRate(trial, perSecond);
      log(`${perSecond} messages a second: ${step.problem ?? 'held'}`);
      if (step.problem !== undefined) return { ...orThrow(held, step.problem), piled_up_per_s: perSecond };
      held = step.figures;
      await whenQuiet(target.roles(), calmMs);
    }
    return orThrow(held, 'no rate was tried');
  },
};

type Step = { readonly figures?: Figures; readonly problem?: string };

async function tryRate(trial: Trial, perSecond: number): Promise<Step> {
  const { load, seconds, target, toggleProfilers } = trial;
  const stepSeconds = Math.max(stepSecondsMin, seconds);
  const over = new AbortController();
  const watching = mostOverdue(target.stores?.().metricsUrls ?? [], over.signal);
  toggleProfilers();
  const { result, refused } = await load
    .call('exchange', stepSeconds, { perSecond })
    .then((all: ExchangeResult) => ({ result: all, refused: undefined }))
    .catch((error: Error) => {
      if (!error.message.includes('refused')) throw error;
      return { result: undefined, refused: error.message };
    })
    .finally(() => over.abort());
  toggleProfilers();
  const overdueSeconds = await watching;
  if (!result) return { problem: refused };
  if (result.faults[0] !== undefined) throw new Error(result.faults[0]);
  if (overdueSeconds > overdueMaxSeconds) {
    return { problem: `delivery checks were up to ${overdueSeconds.toFixed(1)} s late` };
  }
  const perSecondDelivered = result.sent / (result.elapsedMs / 1_000);
  if (perSecondDelivered < perSecond * heldShare) {
    return { problem: `${Math.round(perSecondDelivered)} a second were sent and delivered` };
  }
  const { p50, p95, p99 } = result.latencyMs;
  return { figures: { messages_per_s: perSecondDelivered, p50_ms: p50, p95_ms: p95, p99_ms: p99 } };
}

/** @returns for how many seconds a delivery check, or the job of one, had been due at most, until the signal */
async function mostOverdue(urls: readonly string[], signal: AbortSignal): Promise<number> {
  let most = 0;
  while (!signal.aborted) {
    for (const url of urls) most = Math.max(most, await readOverdue(url));
    await pause(pollMs, undefined, { signal }).catch(() => undefined);
  }
  return most;
}

async function readOverdue(url: string): Promise<number> {
  const text = await (await fetch(url)).text();
  const names = 'delivery_check_overdue_seconds|job_overdue_seconds';
  const lines = text.matchAll(new RegExp(`^hooligram_core_(?:${names})\\{[^}]*\\} ([\\d.e+-]+)`, 'gm'));
  return Math.max(0, ...[...lines].map(([, value]) => Number(value)));
}

function orThrow(figures: Figures | undefined, problem: string): Figures {
  if (figures) return figures;
  throw new Error(`not even ${rates[0]} messages a second: ${problem}`);
}

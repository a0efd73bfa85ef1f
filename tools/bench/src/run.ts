import { randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { Duration, inMinutes, secondsMaxOf } from './duration.ts';
import { LoadProcess } from './load/load-process.ts';
import { tracing } from './measure/hops.ts';
import { describeMachine } from './measure/machine.ts';
import { profileLines } from './measure/profile-shares.ts';
import type { Roles } from './measure/roles.ts';
import type { Options } from './options.ts';
import { type Job, jobsOfRound, planOf, runningTarget } from './plan.ts';
import type { Report, TrialResult } from './report/report.ts';
import { targets } from './targets/index.ts';
import type { RunningTarget } from './targets/target.ts';
import { workloads } from './workloads/index.ts';

/**
 * Measures every workload on every target that the flags name, in as many trials as they say. A trial that fails, or
 * takes too long, has a fault; the others go on.
 * @param keep receives the report so far, after each trial: what was measured is not lost with what comes later
 * @throws OptionsError when nothing of it can be measured
 */
export async function run(
  options: Options,
  log: (line: string) => void,
  signal: AbortSignal,
  keep: (report: Report) => void,
): Promise<Report> {
  const startedAt = new Date();
  const { jobs, notMeasured } = planOf(options);
  for (const line of notMeasured) log(line);
  const duration = new Duration(jobs, options);
  const most = inMinutes(options.runs * jobs.reduce((sum, job) => sum + secondsMaxOf(job, options), 0));
  log(`${duration.trials} trials: about ${inMinutes(duration.leftSeconds)}, at most ${most}`);
  const results: TrialResult[] = [];
  const command = ['npm run bench', ...process.argv.slice(2)].join(' ').replace(' -', ' -- -');
  const report = {
    command,
    startedAt: startedAt.toISOString(),
    machine: describeMachine(),
    notMeasured,
    results,
  };
  for (let round = 1; round <= options.runs; round += 1) {
    for (const job of jobsOfRound(jobs, round)) {
      signal.throwIfAborted();
      const line = (text: string) => log(`${job.workload}, ${job.target}, trial ${round}: ${text}`);
      const beganAt = Date.now();
      results.push({ round, ...job, ...(await measure(options, job, line, signal)) });
      keep(report);
      log(duration.add(job, (Date.now() - beganAt) / 1_000));
    }
  }
  return report;
}

async function measure(
  options: Options,
  job: Job,
  log: (line: string) => void,
  stopped: AbortSignal,
): Promise<Pick<TrialResult, 'figures' | 'fault'>> {
  const secondsMax = secondsMaxOf(job, options);
  const { seconds, warmUpSeconds, pairs, users, rateTimes, rows, goals } = options;
  const tooLong = new AbortController();
  const limit = setTimeout(() => tooLong.abort(), secondsMax * 1_000);
  const signal = AbortSignal.any([stopped, tooLong.signal]);
  const workload = workloads[job.workload];
  const tracesFolder = resolve(`${options.dataDir}-hops`);
  const env = workload.isTraced ? tracing(tracesFolder) : profiling(options);
  let target: RunningTarget | undefined;
  let load: LoadProcess | undefined;
  let deliveredBefore = 0;
  let profiled: Roles = {};
  const toggleProfilers = () => {
    if (!options.profile || workload.isTraced) return;
    // Others have neither.
    const { gateway = [], core = [] } = target?.roles() ?? {};
    profiled = { gateway, core };
    for (const pid of [...gateway, ...core]) process.kill(pid, 'SIGUSR2');
  };
  try {
    target =
      job.target === runningTarget
        ? running(options)
        : await targets[job.target].start({ ...options, ...workload.processes, env }, log, signal);
    load = new LoadProcess((delivered) => {
      if (delivered > deliveredBefore) log(`${delivered - deliveredBefore} deliveries a second`);
      deliveredBefore = delivered;
    }, workload.isTraced && env);
    signal.addEventListener('abort', () => load?.stop());
    const trial = {
      target,
      load,
      seconds,
      warmUpSeconds,
      pairs,
      users,
      rateTimes,
      rows,
      countsRows: !goals,
      tracesFolder,
      plansFolder: resolve(`${options.dataDir}-plans`),
      toggleProfilers,
      log,
      signal,
    };
    return { figures: await Promise.race([workload.run(trial), whenAborted(signal)]) };
  } catch (error) {
    stopped.throwIfAborted();
    // A trial with a fault has no figures.
    const fault = tooLong.signal.aborted
      ? `it was given up after ${secondsMax} s (--trial-max)`
      : (error as Error).message;
    log(`FAILED: ${fault}`);
    return { fault };
  } finally {
    clearTimeout(limit);
    load?.stop();
    await target?.stop();
    if (profiled.gateway) for (const line of profileLines(options.profile, profiled)) log(line);
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

/** Of any workload. */
const usersMax = 20_000;

/** A system that already runs: nothing is started, and its CPU cannot be read. */
function running({ urls, code }: Options): RunningTarget {
  // 14 digits, drawn at random, so that they are no users of an earlier run: those may have groups and messages there.
  const firstNumber = 10_000_000_000_000 + usersMax * randomInt(4_000_000_000);
  return { codec: 'hooligram', urls, code, firstNumber, roles: () => ({}), stop: async () => {} };
}

function profiling({ profile }: Options): NodeJS.ProcessEnv {
  if (!profile) return {};
  const folder = resolve(profile);
  mkdirSync(folder, { recursive: true });
  const profiler = new URL('./measure/profiler.js', import.meta.url).href;
  return { NODE_OPTIONS: `--import ${profiler}`, BENCH_PROFILE_DIR: folder };
}

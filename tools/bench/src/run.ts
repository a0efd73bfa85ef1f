import { randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { LoadProcess } from './load/load-process.ts';
import { describeMachine } from './measure/machine.ts';
import type { Options } from './options.ts';
import { type Job, planOf, runningTarget } from './plan.ts';
import type { Report, TrialResult } from './report/report.ts';
import { targets } from './targets/index.ts';
import type { RunningTarget } from './targets/target.ts';
import { workloads } from './workloads/index.ts';

/**
 * Measures every workload on every target that the flags name, in as many trials as they say.
 * @throws OptionsError when nothing of it can be measured
 */
export async function run(
  options: Options,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<Report> {
  const startedAt = new Date();
  const { jobs, notMeasured } = planOf(options);
  for (const line of notMeasured) log(line);
  const results: TrialResult[] = [];
  for (let round = 1; round <= options.runs; round += 1) {
    for (const job of jobs) {
      signal.throwIfAborted();
      const line = (text: string) => log(`${job.workload}, ${job.target}, trial ${round}: ${text}`);
      results.push({ round, ...job, ...(await measure(options, job, line, signal)) });
    }
  }
  const command = ['npm run bench', ...process.argv.slice(2)].join(' ').replace(' -', ' -- -');
  return { command, startedAt: startedAt.toISOString(), machine: describeMachine(), notMeasured, results };
}

async function measure(
  options: Options,
  job: Job,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<Pick<TrialResult, 'figures' | 'fault'>> {
  const { seconds, warmUpSeconds, pairs } = options;
  const workload = workloads[job.workload];
  let target: RunningTarget | undefined;
  let load: LoadProcess | undefined;
  let deliveredBefore = 0;
  const toggleProfilers = () => {
    if (!options.profile || job.target !== 'ours') return;
    const { gateway = [], core = [] } = target?.roles() ?? {};
    for (const pid of [...gateway, ...core]) process.kill(pid, 'SIGUSR2');
  };
  try {
    target =
      job.target === runningTarget
        ? running(options)
        : await targets[job.target].start(
            { ...options, ...workload.processes, env: profiling(options) },
            log,
            signal,
          );
    load = new LoadProcess((delivered) => {
      if (delivered > deliveredBefore) log(`${delivered - deliveredBefore} deliveries a second`);
      deliveredBefore = delivered;
    });
    signal.addEventListener('abort', () => load?.stop());
    const figures = await workload.run({
      target,
      load,
      seconds,
      warmUpSeconds,
      pairs,
      toggleProfilers,
      log,
    });
    return { figures };
  } catch (error) {
    signal.throwIfAborted();
    // A trial with a fault has no figures.
    log(`FAILED: ${(error as Error).message}`);
    return { fault: (error as Error).message };
  } finally {
    load?.stop();
    await target?.stop();
  }
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

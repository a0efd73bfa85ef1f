import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { LoadProcess } from './load/load-process.ts';
import { describeMachine } from './measure/machine.ts';
import type { Options } from './options.ts';
import type { Report, RunResult } from './report/report.ts';
import { type TargetName, targets } from './targets/index.ts';
import type { RunningTarget } from './targets/target.ts';
import { type WorkloadName, workloads } from './workloads/index.ts';

/** Measures everything that was asked for: all targets of a workload, then the next one, as often as asked. */
export async function run(
  options: Options,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<Report> {
  const startedAt = new Date();
  const results: RunResult[] = [];
  for (let round = 1; round <= options.runs; round += 1) {
    for (const workload of options.workloads) {
      const able = options.targets.filter((target) =>
        (workloads[workload].targets as readonly TargetName[]).includes(target),
      );
      for (const target of able) {
        signal.throwIfAborted();
        const line = (text: string) => log(`${workload}, ${target}, run ${round}: ${text}`);
        results.push({ round, workload, target, ...(await measure(options, workload, target, line, signal)) });
      }
    }
  }
  const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`;
  return { command, startedAt: startedAt.toISOString(), machine: describeMachine(), results };
}

async function measure(
  options: Options,
  workload: WorkloadName,
  targetName: TargetName,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<Pick<RunResult, 'figures' | 'fault'>> {
  const { seconds, warmUpSeconds } = options;
  let target: RunningTarget | undefined;
  let load: LoadProcess | undefined;
  let deliveredBefore = 0;
  const toggleProfilers = () => {
    if (!options.profile || targetName !== 'ours') return;
    const { gateway = [], core = [] } = target?.roles() ?? {};
    for (const pid of [...gateway, ...core]) process.kill(pid, 'SIGUSR2');
  };
  try {
    target = options.urls.length > 0 ? running(options) : await targets[targetName].start({ ...options, env: profiling(options) }, log, signal);
    load = new LoadProcess((delivered) => {
      if (delivered > deliveredBefore) log(`${delivered - deliveredBefore} deliveries a second`);
      deliveredBefore = delivered;
    });
    signal.addEventListener('abort', () => load?.stop());
    const figures = await workloads[workload].run({
      target,
      load,
      seconds,
      warmUpSeconds,
      toggleProfilers,
      log,
    });
    return { figures };
  } catch (error) {
    signal.throwIfAborted();
    // A run with a fault has no figures.
    log(`FAILED: ${(error as Error).message}`);
    return { fault: (error as Error).message };
  } finally {
    load?.stop();
    await target?.stop();
  }
}

/** Somebody else's system: nothing is started, and its CPU is not ours to read. */
function running({ urls, code }: Options): RunningTarget {
  return { speech: 'hooligram', urls, code, roles: () => ({}), stop: async () => {} };
}

function profiling({ profile }: Options): NodeJS.ProcessEnv {
  if (!profile) return {};
  const folder = resolve(profile);
  mkdirSync(folder, { recursive: true });
  const profiler = new URL('./measure/profiler.js', import.meta.url).href;
  return { NODE_OPTIONS: `--import ${profiler}`, BENCH_PROFILE_DIR: folder };
}

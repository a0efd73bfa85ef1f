import { parseArgs } from 'node:util';
import { type TargetName, targetNames, targets } from './targets/index.ts';
import { usualNames, type WorkloadName, workloadNames, workloadSets, workloads } from './workloads/index.ts';

export type Options = {
  readonly workloads: readonly WorkloadName[];
  readonly targets: readonly TargetName[];
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly runs: number;
  readonly gateways: number;
  readonly cores: number;
  readonly port: number;
  readonly dataDir: string;
  readonly results: string;
  /** Of a system that is already running; empty: the targets are started. */
  readonly urls: readonly string[];
  readonly code: string;
  /** A folder for CPU profiles of our Node processes; empty: none are taken. */
  readonly profile: string;
};

const flags = {
  workload: { type: 'string', default: 'all' },
  target: { type: 'string', default: 'ours' },
  seconds: { type: 'string', default: '10' },
  'warm-up': { type: 'string', default: '4' },
  runs: { type: 'string', default: '1' },
  gateways: { type: 'string', default: '2' },
  cores: { type: 'string', default: '1' },
  url: { type: 'string', default: '' },
  code: { type: 'string', default: '000000' },
  port: { type: 'string', default: '28080' },
  'data-dir': { type: 'string', default: '.data/bench' },
  results: { type: 'string', default: 'bench-results' },
  profile: { type: 'string', default: '' },
  help: { type: 'boolean', default: false },
} as const;

const row = (name: string, about: string) => `    ${name.padEnd(14)}${about}`;
const usual = usualNames.map((name) => row(name, workloads[name].about));
const started = Object.entries(targets).map(([name, { about }]) => row(name, about));

export const usage = `npm run bench -- [flags]   measures this system, and others on the same work, on this machine

  --workload NAME,...  which work (all)
  --target NAME,...    on what (ours), or all
  --seconds N          how long each run sends (10)
  --warm-up N          how long it sends before that, unmeasured (4)
  --runs N             how often; figures are medians, with the lowest and the highest (1)
  --gateways N         of ours (2); growth brings its own
  --cores N            of ours (1); growth brings its own
  --url URL,...        a system that already runs, in place of a target; its CPU is not measured
  --code CODE          with which anybody signs in there (000000)
  --port P             ports are taken from here on, as in npm start (28080)
  --data-dir D         data and logs of what is started, emptied at each start; socketio's are beside it (.data/bench)
  --results D          where the HTML report and its figures as JSON are written (bench-results)
  --profile D          writes CPU profiles of our gateways and cores there; the figures of such a run are too high
  --help               this text

  Exit code 0: all was measured. 1: a run lost, doubled or reordered something, or did not get through. 2: a bad flag.

  Workloads:
${usual.join('\n')}
${row('paced', 'paced-direct and paced-rooms')}
${row('growth', 'CPU a delivery at a fixed pace, as connections, groups, gateways, cores and stored messages grow')}
${row('all', 'each of these but growth')}

  Targets:
${started.join('\n')}
`;

/** A flag that cannot be; its message is the line to show. */
export class OptionsError extends Error {}

/**
 * @returns undefined when help is asked for
 * @throws OptionsError
 */
export function parseOptions(args: readonly string[]): Options | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  for (const flag of ['data-dir', 'results'] as const) {
    if (values[flag] === '') throw new OptionsError(`--${flag} must name a folder`);
  }
  const urls = values.url.split(',').filter(Boolean).map(webSocketUrl);
  if (urls.length > 0 && values.target !== flags.target.default) {
    throw new OptionsError(
      '--url takes the place of --target: it is a system of this protocol that already runs',
    );
  }
  return {
    workloads: chosen('--workload', values.workload, workloadNames, workloadSets),
    targets: chosen('--target', values.target, targetNames, { all: targetNames }),
    seconds: integer('--seconds', values.seconds, 1, 3_600),
    warmUpSeconds: integer('--warm-up', values['warm-up'], 0, 3_600),
    runs: integer('--runs', values.runs, 1, 100),
    gateways: integer('--gateways', values.gateways, 1, 20),
    cores: integer('--cores', values.cores, 1, 20),
    port: integer('--port', values.port, 1, 64_000),
    dataDir: values['data-dir'],
    results: values.results,
    urls,
    code: values.code,
    profile: values.profile,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const [line] = (error as Error).message.split(/\. |\n/);
    throw new OptionsError(`${line}; see npm run bench -- --help`);
  }
}

function chosen<T extends string>(
  flag: string,
  text: string,
  names: readonly T[],
  sets: Readonly<Record<string, readonly T[]>>,
): readonly T[] {
  const found = text.split(',').flatMap((name) => {
    const several = Object.hasOwn(sets, name) ? sets[name] : names.filter((one) => one === name);
    if (several?.length) return several;
    const known = [...names.filter((one) => !one.startsWith('growth-')), ...Object.keys(sets)];
    throw new OptionsError(`${flag}: there is no "${name}"; there are ${known.join(', ')}`);
  });
  return [...new Set(found)];
}

function webSocketUrl(text: string): string {
  if (URL.canParse(text) && new URL(text).protocol === 'ws:') return text;
  throw new OptionsError(
    `--url must be a ws:// url with a path, such as ws://127.0.0.1:8080/v2, not "${text}"`,
  );
}

function integer(flag: string, text: string, min: number, max: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new OptionsError(`${flag} must be a number from ${min} to ${max}, not "${text}"`);
}

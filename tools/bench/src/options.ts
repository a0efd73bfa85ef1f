import {
  commandOf,
  flag,
  folder,
  namesOf,
  numberFrom,
  OptionsError,
  parseFlags,
  type RedisForm,
  toggle,
} from '@hooligram/local';
import { systemNames, type TargetName, targetNames, targets } from './targets/index.ts';
import { usualNames, type WorkloadName, workloadNames, workloadSets, workloads } from './workloads/index.ts';
import { slowLinkNames } from './workloads/slow-link.ts';

export type Options = {
  readonly workloads: readonly WorkloadName[];
  readonly targets: readonly TargetName[];
  /** Only what the table of goals needs, each workload on the targets that it is compared with. */
  readonly goals: boolean;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly runs: number;
  readonly pairs: number;
  readonly users: number;
  readonly rateTimes: number;
  readonly rows: number;
  readonly trialSecondsMax: number;
  readonly gateways: number;
  readonly cores: number;
  readonly redis: RedisForm;
  readonly port: number;
  readonly dataDir: string;
  readonly results: string;
  /** Of a system that already runs; empty: the targets are started. */
  readonly urls: readonly string[];
  readonly code: string;
  /** A folder for CPU profiles of our Node processes; empty: none are taken. */
  readonly profile: string;
};

/** By the names of the flags. */
type Values = Omit<
  Options,
  'workloads' | 'targets' | 'goals' | 'warmUpSeconds' | 'trialSecondsMax' | 'urls'
> & {
  readonly goals?: boolean;
  readonly workload: Options['workloads'];
  readonly target: Options['targets'];
  readonly warmUp: number;
  readonly trialMax: number;
  readonly url: Options['urls'];
};

const anyText = (text: string) => text;

const command = commandOf(
  'npm run bench --',
  'Measures this system, and others on the same work, on this machine.',
  [
    flag('--workload <names>', 'which work', namesOf(workloadNames, workloadSets), 'all'),
    flag('--target <names>', 'on what, or all', namesOf(targetNames, { all: systemNames }), 'ours'),
    toggle(
      '--goals',
      'no more than the table of goals needs, on the targets that it compares; rows of Postgres are not counted',
    ),
    flag(
      '--seconds <n>',
      'how long each trial sends; of scraped, all turns together',
      numberFrom(1, 3_600),
      '10',
    ),
    flag('--warm-up <n>', 'how many seconds it sends before that, unmeasured', numberFrom(0, 3_600), '4'),
    flag('--runs <n>', 'how many trials; figures are medians, lowest and highest', numberFrom(1, 100), '1'),
    flag(
      '--pairs <n>',
      'how many pairs cold-direct has, and hot-direct the rate of',
      numberFrom(5, 100_000),
      '5000',
    ),
    flag(
      '--rate-times <n>',
      'of scraped, how many times as many messages a second paced-direct and paced-fanout have',
      numberFrom(1, 20),
      '1',
    ),
    flag('--users <n>', 'how many users day has', numberFrom(100, 1_000_000), '10000'),
    flag('--rows <n>', 'how many messages year stores', numberFrom(10_000, 1_000_000_000), '5000000'),
    flag(
      '--trial-max <n>',
      'a trial that takes more seconds than this is given up, and the next one begins; the longest workloads have more',
      numberFrom(10, 86_400),
      '600',
    ),
    flag('--gateways <n>', 'how many gateways of ours; growth brings its own', numberFrom(1, 20), '2'),
    flag('--cores <n>', 'how many cores of ours; growth brings its own', numberFrom(1, 20), '1'),
    flag(
      '--redis <form>',
      'how many Redis of ours, or cluster, or sentinel, as in npm start; sizes brings its own',
      redisOf,
      '1',
    ),
    flag('--url <urls>', 'a system that runs already, instead of a target; without its CPU', urlsOf, ''),
    flag('--code <code>', 'the verification code of every user there', anyText, '000000'),
    flag('--port <n>', 'ports are taken from here on, as in npm start', numberFrom(1, 64_000), '28080'),
    flag('--data-dir <folder>', 'for data and logs; emptied at each start', folder, '.data/bench'),
    flag('--results <folder>', 'for the report, as Markdown and as JSON', folder, 'bench-results'),
    flag(
      '--profile <folder>',
      'for CPU profiles of our processes, whose shares are told; figures are too high then',
      anyText,
      '',
    ),
  ],
);

const row = (name: string, about: string) => `  ${name.padEnd(18)}${about}`;

export const usage = `${command.helpInformation()}
Exit code 0: all was measured. 1: a trial lost, doubled or reordered something, or failed. 2: a bad flag.

Workloads:
${usualNames.map((name) => row(name, workloads[name].about)).join('\n')}
${row('paced', 'paced-direct and paced-fanout')}
${row('growth', 'CPU a delivery at a fixed rate, as connections, groups, gateways, cores and stored messages grow')}
${row('sizes', 'the same with 15,000 and 60,000 idle connections in ten groups each, of ten or of two, 1, 2 and 4 gateways, 1 and 3 Redis and a Redis Cluster')}
${row('storms', 'storm-chat, storm-chat-5000 and storm-chat-15000: so many clients come back at once, while others chat')}
${row('storms-alone', 'the same with -alone behind each name: their gateway starts again when all are back')}
${slowLinkNames.map((name) => row(name, workloads[name].about)).join('\n')}
${row('tails', 'tails-200 and tails-5000: as hops, 1,000 messages a second over so many pairs; what makes the slowest slow')}
${row('year', workloads.year.about)}
${row('all', 'each of these but growth, sizes, storms, storms-alone, slow-links (both of the last), tails and year')}
rooms and paced-rooms are earlier names of fanout and paced-fanout.

Targets:
${Object.entries(targets)
  .map(([name, { about }]) => row(name, about))
  .join('\n')}
`;

/**
 * @returns undefined when help is asked for
 * @throws OptionsError
 */
export function parseOptions(args: readonly string[]): Options | undefined {
  const values = parseFlags<Values>(command, args);
  if (!values) return undefined;
  const {
    workload: workloads,
    target: targets,
    warmUp: warmUpSeconds,
    trialMax: trialSecondsMax,
    url: urls,
    goals = false,
    ...others
  } = values;
  if (urls.length > 0 && String(targets) !== 'ours') {
    throw new OptionsError(
      '--url takes the place of --target: it is a system of this protocol that already runs',
    );
  }
  if (others.rateTimes !== 1 && String(targets) !== 'scraped') {
    throw new OptionsError(
      '--rate-times is for --target scraped alone: goals, and other systems, are measured at the usual rates',
    );
  }
  if (
    others.rateTimes !== 1 &&
    !workloads.some((name) => name === 'paced-direct' || name === 'paced-fanout')
  ) {
    throw new OptionsError('--rate-times is for the workloads paced-direct and paced-fanout alone');
  }
  if (goals && (urls.length > 0 || String(targets) !== 'ours')) {
    throw new OptionsError('--goals brings its own targets: --target and --url do not go with it');
  }
  return { workloads, targets, goals, warmUpSeconds, trialSecondsMax, urls, ...others };
}

function redisOf(text: string): RedisForm {
  if (text === 'cluster' || text === 'sentinel') return text;
  if (/^[1-9]$/.test(text)) return Number(text);
  throw new OptionsError('It must be a number from 1 to 9, or cluster, or sentinel');
}

function urlsOf(text: string): string[] {
  const urls = text.split(',').filter(Boolean);
  for (const url of urls) {
    if (!URL.canParse(url) || new URL(url).protocol !== 'ws:') {
      throw new OptionsError('It must be a ws:// url with a path, such as ws://127.0.0.1:8080/v2');
    }
  }
  return urls;
}

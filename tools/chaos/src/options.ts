import {
  commandOf,
  flag,
  folder,
  namesOf,
  numberFrom,
  OptionsError,
  parseFlags,
  toggle,
} from '@hooligram/local';
import { type AlertFaultName, alertFaultNamesOf, alertFaults, ownFaultNames } from './alerts/alert-faults.ts';
import { type FaultName, faultNames, faultNamesOf, faults } from './faults/index.ts';
import { type RedisForm, redisForms } from './redis-forms.ts';
import { type BalancerName, balancers } from './rolling.ts';
import { type SelfTest, selfTestNames, selfTests } from './self-tests.ts';

export type Options = {
  readonly minutes: number;
  readonly seed: number;
  /** Empty: all faults. */
  readonly only: readonly FaultName[];
  /** What the stack has for a Redis. */
  readonly redis: RedisForm;
  readonly gateways: number;
  readonly cores: number;
  readonly clients: number;
  readonly rate: number;
  readonly coldGroups: number;
  readonly heavyGroups: number;
  readonly largeGroup: number;
  readonly port: number;
  readonly dataDir: string;
  readonly selfTest: SelfTest | undefined;
  /** Shows which alert each fault fires, instead of what clients lost. */
  readonly alerts: boolean;
  /** With alerts: a fault ends when its alert fires, and the next begins when none is left. */
  readonly short: boolean;
  readonly alertScale: number;
  /** With alerts: these faults, in this order; none if nothing but quiet is to be shown. */
  readonly alertFaults: readonly AlertFaultName[];
  readonly quietMinutes: number;
  /** A rolling update behind this load balancer, instead of faults. */
  readonly rolling: BalancerName | undefined;
  /** A commit: its gateways and cores and those of this release side by side, instead of faults. */
  readonly previous?: string | undefined;
};

const minutesForm = /^\d{1,3}(\.\d{1,2})?$/;
/** In the place of a fault, with alerts: none. */
const quiet = 'quiet';

const command = commandOf(
  'npm run chaos --',
  'Injects faults into a stack of its own under load, and compares what clients recorded with the database.',
  [
    flag('--minutes <n>', 'how long faults are injected', numberFrom(0.1, 600, minutesForm), '2'),
    flag('--seed <n>', 'decides the order of faults (default: random)', numberFrom(0, 2 ** 32 - 1)),
    flag(
      '--only <faults>',
      'these faults instead of all; with --alerts, quiet is none of them',
      namesOf([...faultNames, ...ownFaultNames, quiet]),
    ),
    flag(
      '--redis <form>',
      'one Redis, a list of three, of which faults break one at a time, a primary and a replica under Sentinels, or a Redis Cluster',
      String,
      'one',
    ).choices(Object.keys(redisForms)),
    flag('--gateways <n>', 'how many gateways', numberFrom(1, 20), '3'),
    flag('--cores <n>', 'how many cores', numberFrom(1, 20), '2'),
    flag('--clients <n>', 'how many users; every third has two devices', numberFrom(10, 20_000), '120'),
    flag('--rate <n>', 'messages a second that they send in all, at most', numberFrom(1, 5_000), '60'),
    flag(
      '--cold-groups <n>',
      'how many groups have a message now and then, and most members away; half as many users come and go',
      numberFrom(0, 20_000),
      '60',
    ),
    flag(
      '--heavy-groups <n>',
      'how many more groups one user is in, who is often away',
      numberFrom(1, 10_000),
      '40',
    ),
    flag('--large-group <n>', 'how many members its largest group has', numberFrom(25, 10_000), '300'),
    flag('--port <n>', 'as in npm start', numberFrom(1, 64_000), '18080'),
    flag(
      '--rolling <proxy>',
      'no faults: replaces every gateway and core twice, one at a time, behind haproxy or nginx',
      String,
    ).choices(Object.keys(balancers)),
    flag(
      '--previous <commit>',
      'no faults: gateways and cores of that commit and of this release side by side, in every mixture',
      String,
    ),
    flag('--data-dir <folder>', 'for data, logs and the report; emptied at the start', folder, '.data/chaos'),
    toggle(
      '--alerts',
      'shows which alert each fault fires, with a Prometheus of its own; checks nothing else',
    ),
    toggle('--short', 'with --alerts: ends a fault when its alert fires, begins the next when none is left'),
    flag(
      '--alert-scale <n>',
      'with --alerts: durations of the rules times this',
      numberFrom(0.02, 1, minutesForm),
      '0.05',
    ),
    flag(
      '--quiet-minutes <n>',
      'with --alerts: how long no fault must fire no alert',
      numberFrom(0.1, 600, minutesForm),
      '1',
    ),
    flag('--self-test <name>', 'breaks a promise on purpose, which the checker must find', String).choices(
      selfTestNames,
    ),
    flag('--sabotage <name>', 'the earlier name of --self-test', String).choices(selfTestNames).hideHelp(),
  ],
);

const listed = (table: Record<string, { readonly about: string }>) =>
  Object.entries(table)
    .map(([name, { about }]) => `  ${name.padEnd(20)}${about}`)
    .join('\n');

export const usage = `${command.helpInformation()}
Exit code 0: no promise was broken. 1: one was, or the run failed. 2: a bad flag.

Faults:
${listed(faults)}

Faults for --alerts alone:
${listed(Object.fromEntries(ownFaultNames.map((name) => [name, alertFaults[name]])))}

Self-tests (--sabotage is the earlier name of the flag):
${listed(selfTests)}
`;

type Asked = AlertFaultName | typeof quiet;

type Values = Omit<Options, 'only' | 'alertFaults' | 'selfTest' | 'alerts' | 'short' | 'rolling'> & {
  readonly only?: readonly Asked[];
  readonly alerts?: boolean;
  readonly short?: boolean;
  readonly selfTest?: SelfTest;
  readonly sabotage?: SelfTest;
  readonly rolling?: BalancerName;
};

/**
 * @returns undefined when help is asked for
 * @throws OptionsError
 */
export function parseOptions(args: readonly string[]): Options | undefined {
  const values = parseFlags<Values>(command, args);
  if (!values) return undefined;
  const {
    seed = Math.floor(Math.random() * 1e6),
    only = [],
    sabotage,
    selfTest = sabotage,
    alerts = false,
    short = false,
    rolling,
    ...others
  } = values;
  const { redis } = others;
  const runs = { '--alerts': alerts, '--rolling': rolling, '--previous': others.previous };
  const asked = Object.entries(runs).flatMap(([flag, value]) => (value ? [flag] : []));
  if (asked.length > 1) throw new OptionsError(`${asked.join(' and ')} do not go together`);
  const possible: readonly Asked[] = alerts
    ? [...alertFaultNamesOf(redis, false), quiet]
    : faultNamesOf(redis);
  const impossible = only.find((name) => !possible.includes(name));
  if (impossible) {
    const where = `${alerts ? 'with' : 'without'} --alerts, and with --redis ${redis}`;
    throw new OptionsError(`--only ${impossible}: not ${where}`);
  }
  const named = only.filter((name) => name !== quiet);
  return {
    ...{ seed, selfTest, alerts, short, rolling },
    only: alerts ? [] : (named as FaultName[]),
    alertFaults: only.length > 0 ? named : alertFaultNamesOf(redis, short),
    ...others,
  };
}

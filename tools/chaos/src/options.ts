import { parseArgs } from 'node:util';
import { type HarmName, harmNames, harms, isHarmName } from './harms/index.ts';
import { isSabotage, type Sabotage, sabotages } from './sabotage/index.ts';

export type Options = {
  readonly minutes: number;
  readonly seed: number;
  readonly only: readonly HarmName[];
  readonly gateways: number;
  readonly cores: number;
  readonly clients: number;
  readonly rate: number;
  readonly port: number;
  readonly dataDir: string;
  readonly sabotage: Sabotage | undefined;
};

const flags = {
  minutes: { type: 'string', default: '2' },
  seed: { type: 'string' },
  only: { type: 'string', default: '' },
  gateways: { type: 'string', default: '3' },
  cores: { type: 'string', default: '2' },
  clients: { type: 'string', default: '120' },
  rate: { type: 'string', default: '60' },
  port: { type: 'string', default: '18080' },
  'data-dir': { type: 'string', default: '.data/chaos' },
  sabotage: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const listed = (table: Record<string, { readonly about: string }>) =>
  Object.entries(table)
    .map(([name, { about }]) => `    ${name.padEnd(18)}${about}`)
    .join('\n');

export const usage = `npm run chaos -- [flags]   harms a stack of its own under load, and judges what came of it

  --minutes N      how long harm is done (2); starting, settling and judging come on top
  --seed S         the order of harms and the chance in them (a new one each time)
  --only HARM,...  these harms, in a shuffled order, instead of all
  --gateways N     how many gateways (3)
  --cores N        how many cores (2)
  --clients N      how many people; every third has two devices (120)
  --rate N         messages a second that they send in all, at most (60)
  --port P         as in npm start (18080)
  --data-dir D     where the stack's data, logs and the report are kept; emptied at the start (.data/chaos)
  --sabotage HOW   makes the system lie, to see that the ledger catches it
  --help           this text

  Exit code 0: no promise was broken. 1: one was, or the run did not get through. 2: a bad flag.

  Harms:
${listed(harms)}

  Sabotage:
${listed(sabotages)}
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
  const { sabotage } = values;
  if (sabotage !== undefined && !isSabotage(sabotage)) throw new OptionsError(`--sabotage: no ${sabotage}`);
  if (values['data-dir'] === '') throw new OptionsError('--data-dir must name a folder');
  return {
    minutes: number('--minutes', values.minutes, /^\d{1,3}(\.\d{1,2})?$/, 0.1, 600),
    seed: integer('--seed', values.seed ?? String(Math.floor(Math.random() * 1e6)), 0, 4_294_967_295),
    only: values.only.split(',').filter(Boolean).map(harmName),
    gateways: integer('--gateways', values.gateways, 1, 20),
    cores: integer('--cores', values.cores, 1, 20),
    clients: integer('--clients', values.clients, 10, 20_000),
    rate: integer('--rate', values.rate, 1, 5_000),
    port: integer('--port', values.port, 1, 64_000),
    dataDir: values['data-dir'],
    sabotage,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const [line] = (error as Error).message.split(/\. |\n/);
    throw new OptionsError(`${line}; see npm run chaos -- --help`);
  }
}

function harmName(name: string): HarmName {
  if (isHarmName(name)) return name;
  throw new OptionsError(`--only: no harm is called "${name}"; there are ${harmNames.join(', ')}`);
}

function integer(flag: string, text: string, min: number, max: number): number {
  return number(flag, text, /^\d{1,10}$/, min, max);
}

function number(flag: string, text: string, form: RegExp, min: number, max: number): number {
  const value = form.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new OptionsError(`${flag} must be a number from ${min} to ${max}, not "${text}"`);
}

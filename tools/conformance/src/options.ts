import { parseArgs } from 'node:util';
import { isCountryCode } from '@hooligram/protocol';
import { type CodeSource, codeFromCommand, codeFromTerminal, fixedCode } from './codes.ts';
import { RunError } from './failure.ts';
import { type ConformanceOptions, chosen } from './run.ts';

export const usage = `hooligram-conformance --url ws://HOST:PORT/v2 [flags]   checks a server of Protocol V2

  --url URL             the WebSocket, ws: or wss:, with its path
  --code CODE           the verification code of everybody, on a test system
  --code-command CMD    prints the code of a number; {sid}, {country_code}, {phone_number} stand for it
                        without either, codes are asked for at the terminal
  --only NAME,...       these topics (group-leave) or checks (group-leave/told) instead of all
  --slow                also the checks that take up to a minute each
  --timeout-ms N        how long an answer or a delivery may take (5000)
  --quiet-ms N          how long nothing must come where nothing may come (300)
  --bad-frames N        bad frames that the server takes before it closes with 1008 (100); 0: not checked
  --country-code N      of the random numbers that are signed up (888, which no country has)
  --json FILE           writes the report, with all frames of failed checks
  --list                names all checks
  --help                this text

  Exit code 0: nothing failed. 1: something did. 2: a bad flag, no connection, or no code.
  Numbers are random, so it can run again and again. The server's limits must allow 30 codes to as many numbers.
`;

const flags = {
  url: { type: 'string' },
  code: { type: 'string' },
  'code-command': { type: 'string' },
  only: { type: 'string', default: '' },
  slow: { type: 'boolean', default: false },
  'timeout-ms': { type: 'string', default: '5000' },
  'quiet-ms': { type: 'string', default: '300' },
  'bad-frames': { type: 'string', default: '100' },
  'country-code': { type: 'string', default: '888' },
  json: { type: 'string' },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'list' }
  | { readonly kind: 'run'; readonly options: ConformanceOptions; readonly jsonFile: string | undefined };

/**
 * @param args what stands after the program's name
 * @param isTerminal whether somebody can be asked for codes
 * @throws RunError with one line that names the flag
 */
export function parseCommand(args: readonly string[], isTerminal: boolean): Command {
  const values = parse(args);
  if (values.help) return { kind: 'help' };
  if (values.list) return { kind: 'list' };
  const only = values.only.split(',').filter(Boolean);
  chosen(only);
  if (!isCountryCode(values['country-code']))
    throw new RunError('--country-code must be an assigned country code');
  const options = {
    url: webSocketUrl(values.url),
    codeOf: codeSource(values.code, values['code-command'], isTerminal),
    only,
    slow: values.slow,
    timeoutMs: integer('--timeout-ms', values['timeout-ms'], 1),
    quietMs: integer('--quiet-ms', values['quiet-ms'], 0),
    badFramesMax: integer('--bad-frames', values['bad-frames'], 0),
    countryCode: values['country-code'],
  };
  return { kind: 'run', options, jsonFile: values.json };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // Node's own text goes on with advice on how to pass positional arguments.
    const [line] = (error as Error).message.split(/\. |\n/);
    throw new RunError(`${line}; see --help`);
  }
}

function webSocketUrl(text: string | undefined): string {
  if (text === undefined) throw new RunError('--url is required; see --help');
  if (URL.canParse(text) && /^wss?:$/.test(new URL(text).protocol)) return text;
  throw new RunError(`--url must be a ws: or wss: URL, not "${text}"`);
}

function codeSource(code: string | undefined, command: string | undefined, isTerminal: boolean): CodeSource {
  if (code !== undefined && command !== undefined)
    throw new RunError('--code and --code-command: choose one');
  if (code === '') throw new RunError('--code must not be empty');
  if (code !== undefined) return fixedCode(code);
  if (command !== undefined) return codeFromCommand(command);
  if (isTerminal) return codeFromTerminal();
  throw new RunError('--code or --code-command is required: there is no terminal to ask for codes');
}

function integer(flag: string, text: string, min: number): number {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min) return value;
  throw new RunError(`${flag} must be a whole number from ${min} on, not "${text}"`);
}

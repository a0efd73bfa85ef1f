import { readFileSync } from 'node:fs';
import { isCountryCode } from '@hooligram/protocol';
import { Command, CommanderError } from 'commander';
import { type CodeSource, codeFromCommand, codeFromTerminal, fixedCode } from './codes.ts';
import { RunError } from './failure.ts';
import { type ConformanceOptions, chosen } from './run.ts';

type Flags = {
  readonly url?: string;
  readonly code?: string;
  readonly codeCommand?: string;
  readonly only: string;
  readonly slow?: boolean;
  readonly timeoutMs: string;
  readonly quietMs: string;
  readonly badFrames: string;
  readonly countryCode: string;
  readonly json?: string;
  readonly list?: boolean;
};

// From src/ and from dist/ alike.
export const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const command = new Command('hooligram-conformance')
  .description('Checks a server of Protocol V2 from outside.')
  .usage('--url ws://HOST:PORT/v2 [flags]')
  .option('--url <url>', 'the WebSocket, ws: or wss:, with its path')
  .option('--code <code>', 'the verification code of every number, on a test system')
  .option(
    '--code-command <cmd>',
    'prints the code of a number; {sid}, {country_code}, {phone_number} stand for it; without either, codes are asked for at the terminal',
  )
  .option(
    '--only <names>',
    'these topics (group-leave) or checks (group-leave/told), with commas between',
    '',
  )
  .option('--slow', 'also the checks that take up to a minute each')
  .option('--timeout-ms <n>', 'how long an answer or a delivery may take', '5000')
  .option('--quiet-ms <n>', 'how long nothing must come where nothing may come', '300')
  .option(
    '--bad-frames <n>',
    'bad frames that the server takes before it closes with 1008; 0: not checked',
    '100',
  )
  .option('--country-code <n>', 'of the random numbers that are signed up; no country has 888', '888')
  .option('--json <file>', 'writes the report, with all frames of failed checks')
  .option('--list', 'names all checks')
  .helpOption('--help', 'this text')
  .version(version, '--version', 'the release of the kit')
  .configureHelp({ helpWidth: 120 })
  .showSuggestionAfterError(false)
  .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
  .exitOverride();

export const usage = `${command.helpInformation()}
Exit code 0: nothing failed. 1: something did. 2: a bad flag, no connection, or no code.
Numbers are random, so it can run again and again. The server's limits must allow 30 codes to as many numbers.
`;

export type ParsedCommand =
  | { readonly type: 'help' }
  | { readonly type: 'list' }
  | { readonly type: 'version' }
  | { readonly type: 'run'; readonly options: ConformanceOptions; readonly jsonFile: string | undefined };

/**
 * @param args what stands after the program's name
 * @param isTerminal whether codes can be asked for at a terminal
 * @throws RunError with one line that names the flag
 */
export function parseCommand(args: readonly string[], isTerminal: boolean): ParsedCommand {
  const flags = parse(args);
  if (typeof flags === 'string') return { type: flags };
  if (flags.list) return { type: 'list' };
  const only = flags.only.split(',').filter(Boolean);
  chosen(only);
  if (!isCountryCode(flags.countryCode))
    throw new RunError('--country-code must be an assigned country code');
  const options = {
    url: webSocketUrl(flags.url),
    codeOf: codeSource(flags.code, flags.codeCommand, isTerminal),
    only,
    slow: flags.slow === true,
    timeoutMs: integer('--timeout-ms', flags.timeoutMs, 1),
    quietMs: integer('--quiet-ms', flags.quietMs, 0),
    badFramesMax: integer('--bad-frames', flags.badFrames, 0),
    countryCode: flags.countryCode,
  };
  return { type: 'run', options, jsonFile: flags.json };
}

function parse(args: readonly string[]): Flags | 'help' | 'version' {
  try {
    return command.parse(args, { from: 'user' }).opts<Flags>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return 'help';
    if (error.code === 'commander.version') return 'version';
    throw new RunError(`${error.message.replace('error: ', '')}; see --help`);
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

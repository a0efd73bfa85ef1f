import { setMaxListeners } from 'node:events';
import { release } from '@hooligram/service';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

/** A bad flag, or flags that ask for something impossible. The message is for the terminal. */
export class OptionsError extends Error {}

/**
 * A flag with a value.
 * @param name as the usage shows it: `--seconds <n>`
 * @param parse reads the text; throws OptionsError with a sentence that says what the value must be
 * @param fallback the text that is read when the flag is not given; without it, there is no value then
 */
export function flag<T>(name: string, about: string, parse: (text: string) => T, fallback?: string): Option {
  const option = new Option(name, about).argParser((text: string) => {
    try {
      return parse(text);
    } catch (error) {
      throw error instanceof OptionsError ? new InvalidArgumentError(error.message) : error;
    }
  });
  return fallback === undefined ? option : option.default(parse(fallback), fallback || 'none');
}

/** A flag without a value: true when it is given. */
export function toggle(name: string, about: string): Option {
  return new Option(name, about);
}

/** Reads a number between two limits, both included. @param form of the text; whole numbers by default */
export function numberFrom(min: number, max: number, form = /^\d{1,10}$/): (text: string) => number {
  return (text) => {
    const value = form.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new OptionsError(`It must be a number from ${min} to ${max}`);
  };
}

/** Reads names with commas between them. @param sets names that stand for several */
export function namesOf<T extends string>(
  names: readonly T[],
  sets: Readonly<Record<string, readonly T[]>> = {},
): (text: string) => readonly T[] {
  const known = new Map<string, readonly T[]>([
    ...names.map((name) => [name, [name]] as const),
    ...Object.entries(sets),
  ]);
  return (text) => {
    const found = text.split(',').flatMap((name) => {
      const several = known.get(name);
      if (several) return several;
      throw new OptionsError(`There is no "${name}"; there are ${[...known.keys()].join(', ')}`);
    });
    return [...new Set(found)];
  };
}

export function folder(text: string): string {
  if (text === '') throw new OptionsError('It must name a folder');
  return text;
}

/** A command that takes flags and nothing else. Its usage is `helpInformation()`; `runCommand` answers --version. */
export function commandOf(name: string, about: string, flags: readonly Option[]): Command {
  const command = new Command(name)
    .description(about)
    .helpOption('--help', 'this text')
    .version(release, '--version', 'print the release')
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureHelp({ helpWidth: 120 })
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  for (const each of flags) command.addOption(each);
  return command;
}

/**
 * @param args what follows the name of the command
 * @returns the values by the flags' names in camel case; undefined when help is asked for
 * @throws OptionsError with one line
 */
export function parseFlags<T extends object>(command: Command, args: readonly string[]): T | undefined {
  try {
    return command.parse(args, { from: 'user' }).opts<T>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return undefined;
    throw new OptionsError(`${error.message.replace('error: ', '')}; see ${command.name()} --help`);
  }
}

/**
 * Runs a tool that infra/local has started: a signal, or the end of its parent, aborts it. Then ends the process.
 * With --version it prints the release instead.
 * Exit code 0 when `work` returns true, 1 when it returns false or throws, 2 for an OptionsError.
 */
export async function runCommand(work: (signal: AbortSignal) => Promise<boolean>): Promise<never> {
  const abort = new AbortController();
  const stop = () => abort.abort(new Error('stopped'));
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, stop);
  process.on('disconnect', stop);
  // Every wait of the tool listens to it.
  setMaxListeners(0, abort.signal);
  // The terminal may be gone before the tool has stopped what it started.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  try {
    if (process.argv.includes('--version')) process.stdout.write(`${release}\n`);
    else process.exitCode = (await work(abort.signal)) ? 0 : 1;
  } catch (error) {
    const isFlag = error instanceof OptionsError;
    const text = isFlag || abort.signal.aborted ? (error as Error).message : (error as Error).stack;
    process.stderr.write(`${text}\n`);
    process.exitCode = isFlag ? 2 : 1;
  }
  process.exit();
}

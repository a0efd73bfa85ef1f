import { ConfigError, release } from '@hooligram/service';
import { Command, CommanderError } from 'commander';
import { findPlace, type Place } from './config.ts';
import { Output } from './output.ts';

/** What scripts can rely on. */
export const exitCodes = {
  done: 0,
  /** Something was found to be wrong, or the thing that was asked for does not exist. */
  no: 1,
  /** The command was called in a way that it does not understand, or its variables are bad. */
  usage: 2,
  /** A store, or the node that was named, does not answer. */
  unreachable: 3,
} as const;

/** The command cannot do what was asked: one line that says why, and what to do. */
export class Refusal extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.no) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What every command gets. */
type Scene = { readonly place: Place; readonly out: Output };

/** Runs a command. @returns nothing, or an exit code */
type Action<A extends unknown[], O> = (
  scene: Scene,
  args: A,
  options: O,
  // biome-ignore lint/suspicious/noConfusingVoidType: an action that has nothing to say returns nothing
) => Promise<number | void>;

const details = `Exit codes: 0 done; 1 something is wrong, or what was asked for does not exist; 2 a bad call or a bad variable;
3 a store, or the node that was named, does not answer.

Environment variables:
  REDIS_URL              Redis, the bus; several with commas between
  REDIS_CA_FILE          certificates in PEM by which a rediss:// is known
  REDIS_PREFIX           first part of every name in Redis (hooligram)
  BUS_SIGNING_KEYS       as the nodes have it
  NODE_REPLY_TIMEOUT_MS  a node that has not replied by then does not answer (2000)
  DATABASE_URL           Postgres
  DATABASE_REPLICA_URL   its standby that answers pages, for doctor
Without them the stores of the local stack are used, if npm start runs.`;

export function createProgram(): Command {
  return new Command('hooligram')
    .description('Looks at a system of gateways and cores, steers it, and mends it.')
    .version(release, '--version', 'print the release')
    .configureHelp({ helpWidth: 118 })
    .showHelpAfterError(false)
    .addHelpText('after', `\n${details}`);
}

/** Makes a command run with what every command gets. */
export function act<A extends unknown[], O>(command: Command, action: Action<A, O>): Command {
  return command
    .option('--json', 'print JSON, for scripts')
    .option('--data-dir <folder>', 'the folder of a local stack, as npm start was given it', '.data')
    .allowExcessArguments(false)
    .action(async (...given: unknown[]) => {
      const options = command.opts<O & { json?: boolean; dataDir: string }>();
      const args = given.slice(0, command.registeredArguments.length) as A;
      const out = new Output(options.json ?? false);
      process.exitCode = (await action({ place: findPlace(options.dataDir), out }, args, options)) ?? 0;
    });
}

/**
 * Runs the program with the arguments of this process. Every fault is a line on standard error, with --json also an
 * object on standard output.
 */
export async function runProgram(program: Command): Promise<void> {
  for (const command of allOf(program)) command.exitOverride().configureOutput({ writeErr() {} });
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    // A call without a command.
    if (error instanceof CommanderError && error.code === 'commander.help') {
      process.stdout.write(program.helpInformation());
      process.exitCode = exitCodes.usage;
      return;
    }
    const lines = linesOf(error);
    for (const line of lines) process.stderr.write(`hooligram: ${line}\n`);
    if (process.argv.includes('--json'))
      process.stdout.write(`${JSON.stringify({ error: lines.join('\n') })}\n`);
    process.exitCode = codeOf(error);
  }
}

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

function linesOf(error: unknown): readonly string[] {
  if (error instanceof CommanderError) return [`${error.message.replace(/^error: /, '')} (see --help)`];
  // A fault of the environment begins with the program's name already.
  if (error instanceof ConfigError) return error.faults.map((fault) => fault.replace(/^hooligram: /, ''));
  const { message, code } = error as NodeJS.ErrnoException;
  return [message || code || String(error)];
}

function codeOf(error: unknown): number {
  if (error instanceof Refusal) return error.exitCode;
  if (error instanceof CommanderError || error instanceof ConfigError) return exitCodes.usage;
  return exitCodes.unreachable;
}

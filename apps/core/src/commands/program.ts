import { ConfigError, release } from '@hooligram/service';
import { Command, CommanderError } from 'commander';

/**
 * A program of operators, `node <name>.js`.
 *
 * @param summary first line of its help
 * @param details last paragraphs of its help
 */
export function createProgram(name: string, summary: string, details: string): Command {
  return new Command(`node ${name}.js`)
    .version(release, '--version', 'print the release')
    .configureHelp({ helpWidth: 118 })
    .allowExcessArguments(false)
    .addHelpText('before', `${summary}\n`)
    .addHelpText('after', `\n${details}`);
}

/**
 * Runs a program with the arguments of the process. Every fault is a line on stderr that begins with the program's
 * name, and the exit code is 1 then.
 *
 * @param usageHint how the program may be called, for a call that it does not understand
 */
export async function runProgram(program: Command, name: string, usageHint: string): Promise<void> {
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr() {} });
  }
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    for (const line of linesOf(error, usageHint)) process.stderr.write(`${name}: ${line}\n`);
    process.exitCode = 1;
  }
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function linesOf(error: unknown, usageHint: string): readonly string[] {
  if (error instanceof CommanderError) return [`${usageHint} (see --help)`];
  // A fault of the environment begins with the program's name already.
  if (error instanceof ConfigError) return error.faults.map((fault) => fault.replace(/^[\w-]+: /, ''));
  return [(error as Error).message];
}

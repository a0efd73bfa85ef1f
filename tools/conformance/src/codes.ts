import { exec } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { promisify } from 'node:util';
import { phoneOf } from '@hooligram/protocol';
import { RunError } from './failure.ts';

/** Brings the code that the server sent to a number. */
export type CodeSource = (sid: string) => Promise<string>;

const commandTimeoutMs = 60_000;

/** The same for every number, as test systems have it. */
export function fixedCode(code: string): CodeSource {
  return async () => code;
}

/**
 * What a command prints. In it, `{sid}`, `{country_code}` and `{phone_number}` stand for the number: digits and
 * one dot, so the shell sees nothing else.
 */
export function codeFromCommand(command: string): CodeSource {
  return async (sid) => {
    const { country_code, phone_number } = phoneOf(sid);
    const filled = command
      .replaceAll('{sid}', sid)
      .replaceAll('{country_code}', country_code)
      .replaceAll('{phone_number}', phone_number);
    const run = promisify(exec)(filled, { timeout: commandTimeoutMs });
    const { stdout } = await run.catch(({ stderr, message }: Error & { stderr: string }) => {
      throw new RunError(`--code-command failed: ${stderr.trim() || message}`);
    });
    if (stdout.trim() === '') throw new RunError(`--code-command printed nothing for ${sid}`);
    return stdout.trim();
  };
}

/** Asks for each code at the terminal. */
export function codeFromTerminal(): CodeSource {
  return async (sid) => {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return (await terminal.question(`the code that was sent to ${sid}: `)).trim();
    } finally {
      terminal.close();
    }
  };
}

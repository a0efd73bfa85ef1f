import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** @returns what the built command printed with --json, whatever its exit code */
// biome-ignore lint/suspicious/noExplicitAny: each command has another form
export async function hooligram(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<any> {
  const command = ['apps/operator/dist/main.js', ...args, '--json'];
  const run = promisify(execFile)(process.execPath, command, { env: { ...process.env, ...env } });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return JSON.parse(stdout);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { patienceMs, type TestSystem } from '@hooligram/testkit';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));

export type Ran = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What a command with --json printed. */
  // biome-ignore lint/suspicious/noExplicitAny: each command has another form
  json(): any;
};

/**
 * Runs the built operator command, as an operator does.
 * @param env beside the path, all that it gets
 * @param args the last one may be what it reads from standard input
 */
export async function hooligram(
  env: NodeJS.ProcessEnv,
  args: readonly string[],
  input: string | undefined = undefined,
): Promise<Ran> {
  const child = spawn(process.execPath, [program, ...args], {
    // Of no local stack that runs here.
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  child.stdin.end(input ?? '');
  const [code] = await once(child, 'close');
  return { code, stdout, stderr, json: () => JSON.parse(stdout) };
}

/** What leads the command to a test's system. */
export function envOf({ redisUrl, prefix, databaseUrl }: TestSystem): NodeJS.ProcessEnv {
  return { REDIS_URL: redisUrl, REDIS_PREFIX: prefix, DATABASE_URL: databaseUrl };
}

/** The same where every node replies: on a busy machine later. */
export function patientEnvOf(system: TestSystem): NodeJS.ProcessEnv {
  return { ...envOf(system), NODE_REPLY_TIMEOUT_MS: String(patienceMs) };
}

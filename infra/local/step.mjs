import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** The process ends with this one line and exit code 1. */
export function fail(line) {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}

/**
 * Runs one step of preparation. It has one line on the screen, with the time that it took; what the command
 * prints is shown only if it fails, and then the process ends.
 * @param {string} label what happens, for the user
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} [env] on top of the environment
 */
export async function step(label, command, env = {}) {
  const finished = progress(label);
  const { code, output } = await runQuietly(command, { ...process.env, ...env });
  finished(code === 0 ? '' : 'failed after ');
  if (code === 0) return;
  process.stderr.write(output);
  fail(`${label}: failed (${command.join(' ')})`);
}

function progress(label) {
  const startedAt = Date.now();
  const elapsed = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
  process.stdout.write(`  ${label} … `);
  // On a terminal the time runs, so that a long step does not look like a stuck one.
  const timer = process.stdout.isTTY
    ? setInterval(() => process.stdout.write(`\r  ${label} … ${elapsed()}`), 1000)
    : undefined;
  return (prefix) => {
    clearInterval(timer);
    process.stdout.write(`${process.stdout.isTTY ? `\r  ${label} … ` : ''}${prefix}${elapsed()}\n`);
  };
}

function runQuietly([command, ...args], env) {
  return new Promise((resolve) => {
    // A group of its own: an interrupted step must not leave half of its children behind.
    const child = spawn(command, args, { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const interrupt = () => {
      try {
        process.kill(-child.pid, 'SIGTERM');
      } catch {
        // Gone already.
      }
      process.stdout.write('\n');
      process.exit(130);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.once(signal, interrupt);
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    const done = (code, error = '') => {
      for (const signal of signals) process.off(signal, interrupt);
      resolve({ code, output: Buffer.concat(chunks).toString() + error });
    };
    child.on('error', (error) => done(1, `${error.message}\n`));
    child.on('close', (code) => done(code ?? 1));
  });
}

import { spawn } from 'node:child_process';
import { root } from './step.mjs';

/**
 * Runs a program in place of this one: it has the same terminal, and its exit code becomes this process's.
 * @param {string} node its path
 * @param {string[]} args for it
 * @param {object} [options]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {boolean} [options.ownGroup] it gets Ctrl-C only from this process, and once: at a terminal npm gets the
 *   signal too and passes it on. Its IPC channel closes when this process ends.
 */
export function passOnTo(node, args, { env = {}, ownGroup = false } = {}) {
  const child = spawn(node, args, {
    cwd: root,
    env: { ...process.env, ...env },
    detached: ownGroup,
    stdio: ownGroup ? ['ignore', 'inherit', 'inherit', 'ipc'] : 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code) => process.exit(code ?? 1));
}

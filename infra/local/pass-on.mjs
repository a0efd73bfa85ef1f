import { spawn } from 'node:child_process';
import { root } from './step.mjs';

/**
 * Runs a program in our place: it has our terminal, and we end as it ends.
 * @param {string} node its path
 * @param {string[]} args for it
 * @param {object} [options]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {boolean} [options.ownGroup] it hears of Ctrl-C only through us, and once: at a terminal npm gets the
 *   signal too and passes it on. It is told by its IPC channel when we are gone.
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

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type PeerProcess = { readonly pid: number; stop(): Promise<void> };

/**
 * Starts one of the programs in peers/.
 * @param args the arguments of the program
 * @throws Error when it ends before it listens
 */
export async function startPeer(name: string, args: readonly (string | number)[]): Promise<PeerProcess> {
  const program = fileURLToPath(new URL(`../peers/${name}.js`, import.meta.url));
  const child: ChildProcess = fork(program, args.map(String), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const [first] = await Promise.race([once(child, 'message'), ended]);
  if (first !== 'listening') throw new Error(`${name} did not start`);
  return {
    pid: child.pid as number,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

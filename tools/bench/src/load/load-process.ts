import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Call, type CallName, type Calls, giveWayFlag, type Reply } from './calls.ts';

// From src/ and from dist/ alike.
const program = fileURLToPath(new URL('../../dist/load/main.js', import.meta.url));

/** A process of its own that makes load, so that its CPU time can be told from that of the servers. */
export class LoadProcess {
  readonly #child: ChildProcess;
  #settle: ((reply: Reply) => void) | undefined;

  /**
   * @param onDelivered receives, about once a second, how many deliveries there were so far
   * @param env added to its environment
   * @param givesWay whether it takes only the CPU that servers and other clients leave: see `giveWay` of the testkit
   */
  constructor(
    onDelivered: (delivered: number) => void = () => {},
    env: NodeJS.ProcessEnv = {},
    { givesWay = false } = {},
  ) {
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
    this.#child = fork(program, givesWay ? [giveWayFlag] : [], {
      stdio: [...stdio],
      env: { ...process.env, ...env },
      detached: givesWay,
    });
    this.#child.on('message', (reply: Reply) => {
      if ('delivered' in reply) onDelivered(reply.delivered);
      else this.#settle?.(reply);
    });
    this.#child.on('exit', (code, signal) =>
      this.#settle?.({ error: `the load generator ended (${signal ?? code})` }),
    );
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** @throws Error with which the call failed there */
  call<N extends CallName>(name: N, ...params: Parameters<Calls[N]>): Promise<Awaited<ReturnType<Calls[N]>>> {
    return new Promise((resolve, reject) => {
      this.#settle = (reply) => {
        this.#settle = undefined;
        if ('error' in reply && reply.error !== undefined) reject(new Error(reply.error));
        else resolve(('result' in reply ? reply.result : undefined) as never);
      };
      this.#child.send({ name, params } satisfies Call);
    });
  }

  stop(): void {
    this.#settle = undefined;
    if (this.#child.connected) this.#child.disconnect();
  }
}

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { StormResult, StormSpec } from './storm-clients.ts';

export type StormCall = StormSpec | 'storm';
export type StormReply = { readonly result?: StormResult; readonly error?: string };

const program = fileURLToPath(new URL('./storm-main.js', import.meta.url));

/** The clients of a storm, in a process of their own: what they do delays no clock of others. */
export class StormProcess {
  readonly #child: ChildProcess = fork(program, {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });

  connect(spec: StormSpec): Promise<unknown> {
    return this.#call(spec);
  }

  async storm(): Promise<StormResult> {
    return (await this.#call('storm')) as StormResult;
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  /** @throws Error with which the call failed there */
  #call(call: StormCall): Promise<StormResult | undefined> {
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error('the process of the storm ended'));
      this.#child.once('exit', onExit);
      this.#child.once('message', ({ result, error }: StormReply) => {
        this.#child.off('exit', onExit);
        if (error === undefined) resolve(result);
        else reject(new Error(error));
      });
      this.#child.send(call);
    });
  }
}

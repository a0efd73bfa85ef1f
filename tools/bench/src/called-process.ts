import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

type Reply<R> = { readonly result?: R; readonly error?: string };

/** A process of its own that answers calls, one after the other; it ends with this one. */
export class CalledProcess<C extends object | string, R> {
  readonly #program: string;
  readonly #child: ChildProcess;

  /** @param program a module that calls `answerCalls` */
  constructor(program: URL, options: Pick<ForkOptions, 'detached'> = {}) {
    this.#program = fileURLToPath(program);
    this.#child = fork(this.#program, { ...options, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  /** @throws Error with which the call failed there, or because the process has ended */
  call(call: C): Promise<R> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error(`${this.#program} ended`));
      child.once('exit', onExit);
      child.once('message', ({ result, error }: Reply<R>) => {
        child.off('exit', onExit);
        if (error === undefined) resolve(result as R);
        else reject(new Error(error));
      });
      child.send(call, (error) => error && onExit());
    });
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

/** Answers the calls of a `CalledProcess`, in that process. @param act rejects if the call fails */
export function answerCalls<C, R>(act: (call: C) => Promise<R>): void {
  // Who stops the process meanwhile hears no answer.
  const reply = (message: Reply<R>) => process.send?.(message, undefined, {}, () => {});
  process.on('disconnect', () => process.exit());
  process.on('message', (call: C) => {
    act(call).then(
      (result) => reply({ result }),
      (error: Error) => reply({ error: error.message }),
    );
  });
}

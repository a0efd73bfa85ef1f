import { CalledProcess } from '../called-process.ts';
import type { StormResult, StormSpec } from './storm-clients.ts';

export type StormCall = StormSpec | 'storm';

const program = new URL('./storm-main.js', import.meta.url);

/** The clients of a storm, in a process of their own: what they do delays no clock of others. */
export class StormProcess {
  readonly #process = new CalledProcess<StormCall, StormResult | undefined>(program, { detached: true });

  async connect(spec: StormSpec): Promise<void> {
    await this.#process.call(spec);
  }

  async storm(): Promise<StormResult> {
    return (await this.#process.call('storm')) as StormResult;
  }

  stop(): void {
    this.#process.stop();
  }
}

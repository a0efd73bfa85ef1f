import { checkShards } from '@hooligram/bus';
import { createPart, type Lifecycle, type Log, type Part } from '@hooligram/service';

type Check = () => true | string;

/** Where the parts of one Redis say whether they work. With one Redis that is the lifecycle of the process. */
export type Health = {
  check(name: string, check: Check): void;
  part(name: string): Part;
};

/** Whether one of several Redis works, as far as this process knows. */
export class ShardHealth implements Health {
  readonly #address: string;
  readonly #log: Log;
  readonly #checks = new Map<string, Check>();

  /** @param address without passwords, for the log and /readyz */
  constructor(address: string, log: Log) {
    this.#address = address;
    this.#log = log;
    // Until its echo says more.
    this.#checks.set('bus', () => 'not connected');
  }

  check(name: string, check: Check): void {
    // In the order in which they come to be: a broken connection explains a missing echo.
    this.#checks.delete(name);
    this.#checks.set(name, check);
  }

  part(name: string): Part {
    const part = createPart(`${name}, ${this.#address}`, this.#log);
    this.check(name, part.check);
    return part;
  }

  get works(): boolean {
    for (const check of this.#checks.values()) if (check() !== true) return false;
    return true;
  }

  /** What does not work; undefined if all does. */
  get failure(): string | undefined {
    for (const check of this.#checks.values()) {
      const answer = check();
      if (answer !== true) return `${this.#address}: ${answer}`;
    }
    return undefined;
  }
}

/** One condition of readiness for all of them. */
export function watchShards(lifecycle: Pick<Lifecycle, 'check'>, all: readonly ShardHealth[]): void {
  lifecycle.check('bus', () => checkShards(all.map(({ failure }) => failure)));
}

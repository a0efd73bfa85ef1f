import { type Check, createPart, type Log, type Part } from '@hooligram/service';

/** Whether one of several Redis works, as far as this process knows: by the conditions of all that runs on it. */
export class ShardChecks {
  readonly #address: string;
  readonly #log: Log;
  readonly #checks = new Map<string, Check>();

  /** @param address as the log and /readyz may have it */
  constructor(address: string, log: Log) {
    this.#address = address;
    this.#log = log;
  }

  check(name: string, check: Check): void {
    // In the order in which they come to be: a broken connection explains a missing echo.
    this.#checks.delete(name);
    this.#checks.set(name, check);
  }

  part(name: string): Part {
    const part = createPart(`${name} of ${this.#address}`, this.#log);
    this.check(name, part.check);
    return part;
  }

  get works(): boolean {
    return this.failure === undefined;
  }

  /** What does not work; undefined if all does. */
  get failure(): string | undefined {
    for (const [name, check] of this.#checks) {
      const answer = check();
      if (typeof answer === 'string') return `${this.#address}: ${name}: ${answer}`;
    }
    return undefined;
  }
}

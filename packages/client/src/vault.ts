import type { Emitter } from './emitter.ts';
import type { ClientStorage } from './storage/storage.ts';

/** The storage as the client sees it: JSON under keys. It never fails; what goes wrong is told as `error`. */
export class Vault {
  readonly #storage: ClientStorage;
  readonly #emitter: Emitter;

  constructor(storage: ClientStorage, emitter: Emitter) {
    this.#storage = storage;
    this.#emitter = emitter;
  }

  /** What is stored by now. An entry that is no JSON is as good as none. */
  async load(): Promise<ReadonlyMap<string, unknown>> {
    const stored = await this.#storage.load().catch((error: unknown) => {
      this.#emitter.emit('error', error);
      return new Map<string, string>();
    });
    const parsed = new Map<string, unknown>();
    for (const [key, text] of stored) {
      try {
        parsed.set(key, JSON.parse(text));
      } catch (error) {
        this.#emitter.emit('error', error);
      }
    }
    return parsed;
  }

  set(key: string, value: unknown): Promise<void> {
    return this.#told(this.#storage.set(key, JSON.stringify(value)));
  }

  delete(key: string): Promise<void> {
    return this.#told(this.#storage.delete(key));
  }

  #told(write: Promise<void>): Promise<void> {
    return write.catch((error: unknown) => this.#emitter.emit('error', error));
  }
}

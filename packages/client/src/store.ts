import type { Emitter } from './emitter.ts';
import type { StorageState } from './events.ts';
import { withDeadline } from './storage/deadline.ts';
import type { ClientStorage } from './storage/storage.ts';

const retryMinMs = 1_000;
const retryMaxMs = 60_000;

/**
 * The storage as the client sees it: JSON under keys. It never fails and never hangs. While the storage does,
 * the client goes on from memory and emits `storage`; writes that failed are tried again.
 */
export class Store {
  readonly #storage: ClientStorage;
  readonly #emitter: Emitter;
  /** Writes that the storage does not have yet: the newest text under each key, undefined for one to delete. */
  readonly #unstored = new Map<string, { readonly text: string | undefined }>();
  #state: StorageState = { status: 'working' };
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = retryMinMs;
  #isClosed = false;

  constructor(storage: ClientStorage, emitter: Emitter) {
    this.#storage = storage;
    this.#emitter = emitter;
  }

  get state(): StorageState {
    return this.#state;
  }

  /** What is stored by now, or would be. An entry that is no JSON is as good as none. */
  async load(): Promise<ReadonlyMap<string, unknown>> {
    const stored = await withDeadline(() => this.#storage.load()).catch((error: unknown) => {
      this.#fails(error);
      return new Map<string, string>();
    });
    const texts = new Map<string, string>(stored);
    for (const [key, { text }] of this.#unstored) {
      if (text === undefined) texts.delete(key);
      else texts.set(key, text);
    }
    const parsed = new Map<string, unknown>();
    for (const [key, text] of texts) {
      try {
        parsed.set(key, JSON.parse(text));
      } catch (error) {
        this.#emitter.emit('error', error);
      }
    }
    return parsed;
  }

  /** Resolves when it is stored, or at once while the storage fails: it is kept in memory then. */
  set(key: string, value: unknown): Promise<void> {
    return this.#write(key, JSON.stringify(value));
  }

  delete(key: string): Promise<void> {
    return this.#write(key, undefined);
  }

  /** Tries once more to store what is not. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    if (this.#unstored.size > 0) await this.#writeAll();
  }

  async #write(key: string, text: string | undefined): Promise<void> {
    this.#unstored.set(key, { text });
    // The next try writes all that waits; the caller does not wait for it.
    if (this.#state.status === 'working') await this.#writeOne(key);
  }

  async #writeAll(): Promise<void> {
    const kept = await Promise.all([...this.#unstored.keys()].map((key) => this.#writeOne(key)));
    if (kept.includes(false)) return;
    // Nothing waits to be written: reading shows whether the storage is there.
    if (kept.length === 0 && !(await this.#isReadable())) return;
    this.#works();
  }

  async #writeOne(key: string): Promise<boolean> {
    const entry = this.#unstored.get(key);
    if (!entry) return true;
    const { text } = entry;
    try {
      await withDeadline(() =>
        text === undefined ? this.#storage.delete(key) : this.#storage.set(key, text),
      );
    } catch (error) {
      this.#fails(error);
      return false;
    }
    // A newer text has its own write.
    if (this.#unstored.get(key) === entry) this.#unstored.delete(key);
    return true;
  }

  async #isReadable(): Promise<boolean> {
    return withDeadline(() => this.#storage.load()).then(
      () => true,
      (error: unknown) => {
        this.#fails(error);
        return false;
      },
    );
  }

  #fails(error: unknown): void {
    if (!this.#isClosed) {
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => {
        this.#retryMs = Math.min(retryMaxMs, this.#retryMs * 2);
        void this.#writeAll();
      }, this.#retryMs);
    }
    if (this.#state.status === 'failing') return;
    this.#setState({ status: 'failing', error });
  }

  #works(): void {
    clearTimeout(this.#retry);
    this.#retryMs = retryMinMs;
    if (this.#state.status === 'failing') this.#setState({ status: 'working' });
  }

  #setState(state: StorageState): void {
    this.#state = state;
    const hasHandler = this.#emitter.has('storage');
    this.#emitter.emit('storage', state);
    // Without a handler of `storage`, `error` must say it.
    if (state.status === 'failing' && !hasHandler) this.#emitter.emit('error', state.error);
  }
}

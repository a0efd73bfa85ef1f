import type { Store } from './store.ts';

type Stored = { readonly created: string; readonly high: number; readonly failed: readonly number[] };
type Record = { created: string; high: number; failed: Set<number> };

/**
 * The messages that were handled, so that each is handled once although it may come again.
 *
 * `message_id` grows in the order in which a group's messages come on a connection, and none is left out, so the
 * highest that was handled says it for all below, but those at which a handler threw. That takes a few bytes a
 * group, however many messages come again after however long.
 */
export class HandledMessages {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #records = new Map<number, Record>();
  readonly #running = new Set<number>();

  /** @param sid whose messages; two users of one browser have their own */
  constructor(store: Store, sid: string, stored: ReadonlyMap<string, unknown>) {
    this.#store = store;
    this.#prefix = `seen/${sid}/`;
    for (const [key, value] of stored) {
      if (!key.startsWith(this.#prefix)) continue;
      const { created, high, failed } = value as Stored;
      this.#records.set(Number(key.slice(this.#prefix.length)), { created, high, failed: new Set(failed) });
    }
  }

  /**
   * A group's creation date never changes. Another one means that the server was emptied and numbers from the
   * beginning, as one for development is: what was handled before then says nothing.
   */
  meet(groupId: number, created: string): void {
    const record = this.#recordOf(groupId);
    if (record.created !== '' && record.created !== created) {
      record.high = 0;
      record.failed.clear();
    }
    record.created = created;
  }

  /** @returns `new`: handle it, then call `handle` or `fail`; `running`: it is being handled; `handled`: acknowledge it */
  arrive(groupId: number, messageId: number): 'new' | 'running' | 'handled' {
    if (this.#running.has(messageId)) return 'running';
    const { high, failed } = this.#recordOf(groupId);
    if (messageId <= high && !failed.has(messageId)) return 'handled';
    this.#running.add(messageId);
    return 'new';
  }

  /** It was not handled, and will be when it comes again. */
  fail(groupId: number, messageId: number): void {
    this.#running.delete(messageId);
    this.#recordOf(groupId).failed.add(messageId);
  }

  /** @returns when that is stored */
  async handle(groupId: number, messageId: number): Promise<void> {
    this.#running.delete(messageId);
    const record = this.#recordOf(groupId);
    record.failed.delete(messageId);
    record.high = Math.max(record.high, messageId);
    const failed = [...record.failed].filter((id) => id < record.high);
    const stored: Stored = { created: record.created, high: record.high, failed };
    await this.#store.set(this.#prefix + groupId, stored);
  }

  /** Messages from before somebody left are never sent again. */
  forget(groupId: number): void {
    this.#records.delete(groupId);
    void this.#store.delete(this.#prefix + groupId);
  }

  #recordOf(groupId: number): Record {
    const record = this.#records.get(groupId) ?? { created: '', high: 0, failed: new Set() };
    this.#records.set(groupId, record);
    return record;
  }
}

import type { Group, Message } from '@hooligram/client';
import { signal } from '@preact/signals';
import type { IDBPDatabase, IDBPObjectStore } from 'idb';
import { Database } from './database.ts';

/** What is kept of a conversation besides its messages. */
export type ConversationRecord = {
  readonly sid: string;
  readonly id: number;
  readonly group: Group;
  readonly last: Message | undefined;
  readonly unread: number;
  /** The user, or all others, have left. */
  readonly isOver: boolean;
};

/** A message that the server did not take; it waits until the user sends it again or discards it. */
export type RefusedMessage = {
  readonly sid: string;
  /** Of the request. */
  readonly id: string;
  readonly groupId: number;
  readonly content: string;
  readonly createdAt: number;
  readonly errors: readonly string[];
};

/** A message that a tab has kept, and its conversation with it. */
export type Kept = { readonly record: ConversationRecord; readonly message: Message };

/** A conversation that the user has removed in a tab: by leaving the group, or because it was over. */
export type Removed = { readonly sid: string; readonly id: number; readonly hasLeft: boolean };

/** What a tab tells the others. */
type News = Kept | { readonly removed: Removed };

type StoreOf = (name: string) => IDBPObjectStore<unknown, string[], string, 'readwrite'>;

const stores = { conversations: 'conversations', messages: 'messages', refused: 'refused' } as const;

/** The browser did not store or could not read something. `failure` says it already. */
export class NotKept extends Error {}

/**
 * The messages that this browser keeps for each user who signs in on it: the server forgets none that was not
 * acknowledged, and sends none again that was. Every promise resolves when it is stored, and rejects with NotKept
 * when it is not.
 */
export class History {
  /** Why the browser keeps nothing at the moment; undefined while it does. */
  readonly failure = signal<unknown>(undefined);
  readonly #database: Database;
  readonly #tabs: BroadcastChannel;
  #doesNotWrite = false;

  /** @param url of the server: ids mean something only there */
  constructor(url: string) {
    this.#tabs = new BroadcastChannel(`hooligram history ${url}`);
    this.#database = new Database(`hooligram history ${url}`, (created) => {
      created.createObjectStore(stores.conversations, { keyPath: ['sid', 'id'] });
      created.createObjectStore(stores.messages);
      created.createObjectStore(stores.refused, { keyPath: ['sid', 'id'] });
    });
  }

  /**
   * Tells what other tabs of this browser keep and remove. The server sends a message to no tab that comes back after another
   * one has acknowledged it, and that the user has left a group only to the tab that left.
   */
  onElsewhere(onKept: (kept: Kept) => void, onRemoved: (removed: Removed) => void): void {
    this.#tabs.onmessage = ({ data }: MessageEvent<Partial<Kept & { removed: Removed }>>) => {
      const { record, message, removed } = data;
      // A tab of another release may tell something else.
      if (record && message) onKept({ record, message });
      if (removed) onRemoved(removed);
    };
  }

  conversation(sid: string, id: number): Promise<ConversationRecord | undefined> {
    return this.#read((database) => database.get(stores.conversations, [sid, id]));
  }

  conversations(sid: string): Promise<ConversationRecord[]> {
    return this.#read((database) => database.getAll(stores.conversations, allOf(sid)));
  }

  refused(sid: string): Promise<RefusedMessage[]> {
    return this.#read((database) => database.getAll(stores.refused, allOf(sid)));
  }

  /** The newest messages before one, oldest first. */
  messagesBefore(sid: string, groupId: number, messageId: number, count: number): Promise<Message[]> {
    const range = IDBKeyRange.bound([sid, groupId], [sid, groupId, messageId], false, true);
    return this.#read(async (database) => {
      const found: Message[] = [];
      let cursor = await database.transaction(stores.messages).store.openCursor(range, 'prev');
      while (cursor && found.push(cursor.value) < count) cursor = await cursor.continue();
      return found.reverse();
    });
  }

  async keep(record: ConversationRecord, message?: Message): Promise<void> {
    const key = message && [record.sid, message.group_id, message.message_id];
    await this.#write((storeOf) => [
      storeOf(stores.conversations).put(record),
      ...(message ? [storeOf(stores.messages).put(message, key)] : []),
    ]);
    if (message) this.#tabs.postMessage({ record, message } satisfies News);
  }

  keepRefused(message: RefusedMessage): Promise<void> {
    return this.#write((storeOf) => [storeOf(stores.refused).put(message)]);
  }

  dropRefused({ sid, id }: RefusedMessage): Promise<void> {
    return this.#write((storeOf) => [storeOf(stores.refused).delete([sid, id])]);
  }

  /** Also its messages. */
  dropConversation(sid: string, id: number): Promise<void> {
    return this.#write((storeOf) => [
      storeOf(stores.conversations).delete([sid, id]),
      storeOf(stores.messages).delete(IDBKeyRange.bound([sid, id], [sid, id, []])),
    ]);
  }

  /** As dropConversation, and tells the other tabs. */
  async removeConversation(removed: Removed): Promise<void> {
    await this.dropConversation(removed.sid, removed.id);
    this.#tabs.postMessage({ removed } satisfies News);
  }

  /** All entries of a user. */
  forget(sid: string): Promise<void> {
    return this.#write((storeOf) => Object.values(stores).map((name) => storeOf(name).delete(allOf(sid))));
  }

  /** Finds out whether the browser keeps things again. */
  probe(): Promise<void> {
    return this.#write((storeOf) => [
      storeOf(stores.refused).put({ sid: '', id: '' }),
      storeOf(stores.refused).delete(['', '']),
    ]);
  }

  async #read<R>(body: (database: IDBPDatabase) => Promise<R>): Promise<R> {
    const result = await this.#told(this.#database.run(body));
    // A browser without room reads as before.
    if (!this.#doesNotWrite) this.failure.value = undefined;
    return result;
  }

  async #write(body: (storeOf: StoreOf) => Promise<unknown>[]): Promise<void> {
    const written = this.#database.run(async (database) => {
      const names: string[] = Object.values(stores);
      const transaction = database.transaction(names, 'readwrite');
      await Promise.all([...body((name) => transaction.objectStore(name)), transaction.done]);
    });
    await this.#told(written).catch((error: unknown) => {
      this.#doesNotWrite = true;
      throw error;
    });
    this.#doesNotWrite = false;
    this.failure.value = undefined;
  }

  async #told<R>(outcome: Promise<R>): Promise<R> {
    try {
      return await outcome;
    } catch (error) {
      this.failure.value ??= error ?? new Error('nothing was kept');
      throw new NotKept('not kept', { cause: error });
    }
  }
}

/** In the order of keys an array comes after all numbers and texts. */
function allOf(sid: string): IDBKeyRange {
  return IDBKeyRange.bound([sid], [sid, []]);
}

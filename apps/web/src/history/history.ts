import type { Group, Message } from '@hooligram/client';
import { openDatabase, read, readLast, write } from './database.ts';

/** What is kept of a conversation besides its messages. */
export interface ConversationRecord {
  readonly sid: string;
  readonly id: number;
  readonly group: Group;
  readonly last: Message | undefined;
  readonly unread: number;
  /** The person, or everybody else, has left. */
  readonly isOver: boolean;
}

/** A message that the server did not take; it waits for somebody to send it again or to throw it away. */
export interface RefusedMessage {
  readonly sid: string;
  /** Of the request. */
  readonly id: string;
  readonly groupId: number;
  readonly content: string;
  readonly createdAt: number;
  readonly errors: readonly string[];
}

const stores = { conversations: 'conversations', messages: 'messages', refused: 'refused' } as const;

/**
 * What this browser keeps, for each person who signs in on it: the server forgets nothing that was not
 * acknowledged, and sends nothing again that was. Every promise resolves when it is stored.
 */
export class History {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  /** @param url of the server: ids mean something only there */
  static async open(url: string): Promise<History> {
    const database = await openDatabase(`hooligram history ${url}`, (created) => {
      created.createObjectStore(stores.conversations, { keyPath: ['sid', 'id'] });
      created.createObjectStore(stores.messages);
      created.createObjectStore(stores.refused, { keyPath: ['sid', 'id'] });
    });
    return new History(database);
  }

  conversations(sid: string): Promise<ConversationRecord[]> {
    return read(this.#database, stores.conversations, (store) => store.getAll(allOf(sid)));
  }

  refused(sid: string): Promise<RefusedMessage[]> {
    return read(this.#database, stores.refused, (store) => store.getAll(allOf(sid)));
  }

  /** The newest messages before one, oldest first. */
  messagesBefore(sid: string, groupId: number, messageId: number, count: number): Promise<Message[]> {
    const range = IDBKeyRange.bound([sid, groupId], [sid, groupId, messageId], false, true);
    return readLast(this.#database, stores.messages, range, count);
  }

  keep(record: ConversationRecord, message?: Message): Promise<void> {
    return write(this.#database, [stores.conversations, stores.messages], (storeOf) => {
      storeOf(stores.conversations).put(record);
      if (message) {
        storeOf(stores.messages).put(message, [record.sid, message.group_id, message.message_id]);
      }
    });
  }

  keepRefused(message: RefusedMessage): Promise<void> {
    return write(this.#database, [stores.refused], (storeOf) => storeOf(stores.refused).put(message));
  }

  dropRefused({ sid, id }: RefusedMessage): Promise<void> {
    return write(this.#database, [stores.refused], (storeOf) => storeOf(stores.refused).delete([sid, id]));
  }

  /** Also its messages. */
  dropConversation(sid: string, id: number): Promise<void> {
    return write(this.#database, [stores.conversations, stores.messages], (storeOf) => {
      storeOf(stores.conversations).delete([sid, id]);
      storeOf(stores.messages).delete(IDBKeyRange.bound([sid, id], [sid, id, []]));
    });
  }

  /** Everything of a person. */
  forget(sid: string): Promise<void> {
    return write(this.#database, Object.values(stores), (storeOf) => {
      for (const name of Object.values(stores)) storeOf(name).delete(allOf(sid));
    });
  }
}

/** In the order of keys an array comes after all numbers and texts. */
function allOf(sid: string): IDBKeyRange {
  return IDBKeyRange.bound([sid], [sid, []]);
}

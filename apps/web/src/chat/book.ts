import type { Group, Message } from '@hooligram/client';
import { signal } from '@preact/signals';
import type { ConversationRecord, History, Kept, RefusedMessage, Removed } from '../history/history.ts';
import { Conversation } from './conversation.ts';
import { Notebook } from './notebook.ts';

/** All that this browser knows of the chats of one user. */
export class Book {
  readonly sid: string;
  readonly notebook: Notebook;
  readonly conversations = signal<ReadonlyMap<number, Conversation>>(new Map());
  readonly refused = signal<readonly RefusedMessage[]>([]);
  readonly #history: History;
  #reading: Promise<void> | undefined;

  private constructor(history: History, url: string, sid: string) {
    this.#history = history;
    this.sid = sid;
    this.notebook = new Notebook(url, sid);
  }

  /** If the history cannot be read now, it is read before anything is written: it must not be overwritten. */
  static async open(history: History, url: string, sid: string): Promise<Book> {
    const book = new Book(history, url, sid);
    await book.read().catch(() => undefined);
    return book;
  }

  /** Resolves when what the browser has kept is here. @throws NotKept */
  read(): Promise<void> {
    this.#reading ??= this.#read().catch((error: unknown) => {
      this.#reading = undefined;
      throw error;
    });
    return this.#reading;
  }

  /** Keeps what could not be kept. @throws NotKept */
  async keepAgain(): Promise<void> {
    await this.#history.probe();
    await this.read();
    for (const conversation of this.conversations.value.values()) await conversation.keepAgain();
    for (const message of this.refused.value) await this.#history.keepRefused(message);
  }

  async setGroup(group: Group): Promise<void> {
    const known = this.conversations.value.get(group.group_id) ?? this.#add(group, false);
    await known.setGroup(group);
  }

  async end(groupId: number): Promise<void> {
    await this.conversations.value.get(groupId)?.end();
  }

  async addMessage(message: Message, isSeen: boolean): Promise<void> {
    const { group_id, sender_sid, date_created } = message;
    // A group that was closed before this browser knew it still delivers its last messages.
    const group = {
      group_id,
      date_created,
      group_name: '',
      is_direct_message: true,
      member_sids: [...new Set([sender_sid, this.sid])],
    };
    const conversation = this.conversations.value.get(group_id) ?? this.#add(group, true);
    await conversation.addMessage(message, isSeen);
  }

  /** Adds what another tab has kept. @returns whether it was missing here */
  addKept({ record, message }: Kept, isSeen: boolean): boolean {
    const known = this.conversations.value.get(record.id);
    // Of a group of the same number, in another history of the server.
    if (known && known.group.value.date_created !== record.group.date_created) return false;
    if (known) return known.addKept(message, isSeen);
    this.#addRecord(record);
    return true;
  }

  /** @param hasLeft whether the user has left the group now; else it was over already */
  async remove(groupId: number, hasLeft: boolean): Promise<void> {
    this.#hide(groupId);
    await this.#history.removeConversation({ sid: this.sid, id: groupId, hasLeft });
  }

  /** Takes away what the user has removed in another tab. @returns whether it was here */
  async removeElsewhere({ id, hasLeft }: Removed): Promise<boolean> {
    const conversation = this.conversations.value.get(id);
    // What is over there may have begun again here.
    if (!conversation || !(hasLeft || conversation.isOver.value)) return false;
    // It is kept once more: the user was added again meanwhile.
    if (await this.#history.conversation(this.sid, id)) return false;
    this.#hide(id);
    return true;
  }

  async refuse(message: RefusedMessage): Promise<void> {
    // A page that went before the request was out of the outbox is told of it again: it is the same message.
    this.refused.value = [...this.refused.value.filter(({ id }) => id !== message.id), message];
    await this.#history.keepRefused(message);
  }

  async dropRefused(message: RefusedMessage): Promise<void> {
    this.refused.value = this.refused.value.filter(({ id }) => id !== message.id);
    // If it stays in the browser's memory, it is here again after a reload, to be dropped once more.
    await this.#history.dropRefused(message).catch(() => undefined);
  }

  async forget(): Promise<void> {
    this.notebook.forget();
    await this.#history.forget(this.sid);
  }

  async #read(): Promise<void> {
    const [records, refused] = await Promise.all([
      this.#history.conversations(this.sid),
      this.#history.refused(this.sid),
    ]);
    const conversations = new Map(this.conversations.value);
    for (const record of records) {
      const known = conversations.get(record.id);
      if (known) known.adopt(record);
      else conversations.set(record.id, new Conversation(this.#history, record, () => this.read()));
    }
    this.conversations.value = conversations;
    const known = new Set(this.refused.value.map(({ id }) => id));
    this.refused.value = [...refused.filter(({ id }) => !known.has(id)), ...this.refused.value];
  }

  #hide(groupId: number): void {
    this.conversations.value = new Map([...this.conversations.value].filter(([id]) => id !== groupId));
    this.notebook.setDraft(groupId, '');
  }

  #add(group: Group, isOver: boolean): Conversation {
    const record: ConversationRecord = {
      sid: this.sid,
      id: group.group_id,
      group,
      last: undefined,
      unread: 0,
      isOver,
    };
    return this.#addRecord(record);
  }

  #addRecord(record: ConversationRecord): Conversation {
    const conversation = new Conversation(this.#history, record, () => this.read());
    this.conversations.value = new Map(this.conversations.value).set(record.id, conversation);
    return conversation;
  }
}

import type { Group, Message } from '@hooligram/client';
import { signal } from '@preact/signals';
import type { ConversationRecord, History } from '../history/history.ts';

const pageMessages = 100;
/** Older ones are dropped from memory, unless the user reads them. */
const keptMessagesMax = 400;

/** One group or direct message, as this browser knows it. */
export class Conversation {
  readonly id: number;
  readonly group;
  readonly last;
  readonly unread;
  readonly isOver;
  /** The newest ones, as many as were loaded; oldest first. */
  readonly messages = signal<readonly Message[]>([]);
  readonly hasOlder = signal(true);
  /** Messages that this browser has not kept, by id: they are not acknowledged, and gone with the page. */
  readonly unkept = signal<ReadonlyMap<number, Message>>(new Map());
  readonly #sid: string;
  readonly #history: History;
  readonly #whenRead: () => Promise<void>;
  /** The user has read up to this message in another tab. */
  #readElsewhere = 0;
  #isLoading = false;
  #isChanged = false;

  /** @param whenRead resolves when what the browser kept earlier is here */
  constructor(history: History, record: ConversationRecord, whenRead: () => Promise<void>) {
    this.#history = history;
    this.#whenRead = whenRead;
    this.#sid = record.sid;
    this.id = record.id;
    this.group = signal(record.group);
    this.last = signal(record.last);
    this.unread = signal(record.unread);
    this.isOver = signal(record.isOver);
    this.hasOlder.value = record.last !== undefined;
  }

  /** The other members. */
  get others(): readonly string[] {
    return this.group.value.member_sids.filter((sid) => sid !== this.#sid);
  }

  async setGroup(group: Group): Promise<void> {
    const isAnother = this.group.value.date_created !== group.date_created;
    this.group.value = group;
    this.isOver.value = false;
    if (isAnother) await this.#startOver();
    await this.#keep();
  }

  async end(): Promise<void> {
    this.isOver.value = true;
    await this.#keep();
  }

  /**
   * Adds a message that was delivered, or that was answered with success; an own message comes both ways.
   * @param isSeen whether the user looks at the conversation
   */
  async addMessage(message: Message, isSeen: boolean): Promise<void> {
    this.unkept.value = new Map(this.unkept.value).set(message.message_id, message);
    this.#show(message, isSeen);
    await this.#keep(message);
  }

  /** Adds a message that another tab has kept. @returns whether it was missing here */
  addKept(message: Message, isSeen: boolean): boolean {
    const [first] = this.messages.value;
    // What is older is read when it is wanted.
    const isOlder = first !== undefined && message.message_id < first.message_id && this.hasOlder.value;
    const isHere = this.messages.value.some(({ message_id }) => message_id === message.message_id);
    if (isOlder || isHere) return false;
    this.#show(message, isSeen);
    return true;
  }

  #show(message: Message, isSeen: boolean): void {
    const isNew = message.message_id > (this.last.value?.message_id ?? 0);
    const isOwn = message.sender_sid === this.#sid;
    if (isNew) this.last.value = message;
    // A user who answers has read what stands above.
    if (isSeen || isOwn) this.unread.value = 0;
    else if (isNew && message.message_id > this.#readElsewhere) this.unread.value += 1;
    this.messages.value = merge(this.messages.value, [message]);
    if (!isSeen) this.letGo();
  }

  /** Keeps the newest ones at hand; the others are read again when they are wanted. */
  letGo(): void {
    if (this.messages.value.length <= keptMessagesMax) return;
    this.messages.value = this.messages.value.slice(-pageMessages);
    this.hasOlder.value = true;
  }

  markRead(): Promise<void> {
    return this.#markRead(0);
  }

  /** The user has read it in another tab, up to a message, which may come here later. */
  async readElsewhere(messageId = this.last.value?.message_id ?? 0): Promise<void> {
    this.#readElsewhere = Math.max(this.#readElsewhere, messageId);
    const newer = this.messages.value.filter(
      ({ message_id, sender_sid }) => message_id > this.#readElsewhere && sender_sid !== this.#sid,
    );
    await this.#markRead(newer.length);
  }

  /** Keeps what could not be kept. @throws NotKept */
  async keepAgain(): Promise<void> {
    for (const message of this.unkept.value.values()) await this.#keep(message);
    if (this.#isChanged) await this.#keep();
  }

  /** Takes over what the browser had kept, and could not be read before. */
  adopt(record: ConversationRecord): void {
    if (record.group.date_created !== this.group.value.date_created) return;
    if ((record.last?.message_id ?? 0) > (this.last.value?.message_id ?? 0)) this.last.value = record.last;
    this.unread.value += record.unread;
    this.hasOlder.value = true;
  }

  /** Reads a further page of what is kept. */
  async loadOlder(): Promise<void> {
    if (this.#isLoading || !this.hasOlder.value) return;
    this.#isLoading = true;
    try {
      const before = this.messages.value[0]?.message_id ?? Number.MAX_SAFE_INTEGER;
      const older = await this.#history.messagesBefore(this.#sid, this.id, before, pageMessages);
      this.messages.value = merge(older, this.messages.value);
      this.hasOlder.value = older.length === pageMessages;
    } catch {
      // The page says that the browser's memory fails; they can be asked for again.
    } finally {
      this.#isLoading = false;
    }
  }

  async #markRead(unread: number): Promise<void> {
    if (this.unread.value <= unread) return;
    this.unread.value = unread;
    // It is kept with the next change, if not now.
    await this.#keep().catch(() => undefined);
  }

  /** The server was emptied, and gave the number to another group. */
  async #startOver(): Promise<void> {
    this.messages.value = [];
    this.unkept.value = new Map();
    this.last.value = undefined;
    this.unread.value = 0;
    this.#readElsewhere = 0;
    await this.#history.dropConversation(this.#sid, this.id);
  }

  async #keep(message?: Message): Promise<void> {
    this.#isChanged = true;
    await this.#whenRead();
    const record = {
      sid: this.#sid,
      id: this.id,
      group: this.group.value,
      last: this.last.value,
      unread: this.unread.value,
      isOver: this.isOver.value,
    };
    this.#isChanged = false;
    try {
      await this.#history.keep(record, message);
    } catch (error) {
      this.#isChanged = true;
      throw error;
    }
    if (!message) return;
    const unkept = new Map(this.unkept.value);
    unkept.delete(message.message_id);
    this.unkept.value = unkept;
  }
}

/** In the order of ids; where both have a message, the later list's. */
function merge(one: readonly Message[], other: readonly Message[]): readonly Message[] {
  const first = other[0];
  const last = one.at(-1);
  if (!first || !last || last.message_id < first.message_id) return [...one, ...other];
  const byId = new Map([...one, ...other].map((message) => [message.message_id, message]));
  return [...byId.values()].sort((a, b) => a.message_id - b.message_id);
}

import {
  type Client,
  type ConnectionState,
  createClient,
  type Group,
  type Message,
  type PhoneNumber,
} from '@hooligram/client';
import { computed, signal } from '@preact/signals';
import { History, type Kept, NotKept, type Removed } from '../history/history.ts';
import { isVisible } from '../page.ts';
import { sidOf } from '../phone.ts';
import { goTo, openGroup } from '../route.ts';
import type { Servers } from '../server-url.ts';
import { Book } from './book.ts';
import { clientStorage } from './client-storage.ts';
import { Sending } from './sending.ts';

const keepAgainMinMs = 2_000;
const keepAgainMaxMs = 60_000;

/**
 * A notice of one tab to the others of this browser, which show the same chats: the user has read a group up to a message,
 * which may come to them later, or without a group, has signed out. A tab of an earlier release takes all other news for that:
 * they need a channel of their own.
 */
type News = { readonly sid: string; readonly readGroup?: number; readonly upTo?: number };

/** The SDK's client and what the page shows of it. All that changes is a signal. */
export class Chat {
  readonly client: Client;
  readonly servers: Servers;
  readonly sending: Sending;
  readonly connection = signal<ConnectionState>({ status: 'connecting' });
  /** Undefined while no user is signed in. */
  readonly book = signal<Book | undefined>(undefined);
  /** The user whose stored sign-in the server refused. */
  readonly refusedSid = signal<string | undefined>(undefined);
  /** A text that the user should read, until they close it. */
  readonly notice = signal('');
  /** The newest message, for screen readers. */
  readonly announcement = signal('');
  readonly unread = computed(() =>
    [...(this.book.value?.conversations.value.values() ?? [])].reduce(
      (sum, { unread }) => sum + unread.value,
      0,
    ),
  );
  readonly #clientFailure = signal<unknown>(undefined);
  /** Why this browser does not store everything at the moment; undefined while it does. */
  readonly storageFailure = computed(() => this.#clientFailure.value ?? this.#history.failure.value);
  readonly #history: History;
  readonly #tabs: BroadcastChannel;
  readonly #books = new Map<string, Promise<Book>>();
  #keepingAgain: ReturnType<typeof setTimeout> | undefined;

  private constructor(history: History, servers: Servers) {
    this.#history = history;
    this.servers = servers;
    // A credential belongs to the server that accepted it: a choice of another one must not carry it there.
    const storage = clientStorage(`hooligram client ${servers.url}`);
    this.client = createClient({ url: servers.url, storage });
    this.sending = new Sending(this);
    // Tabs of another server have other users.
    this.#tabs = new BroadcastChannel(`hooligram ${servers.url}`);
    this.#tabs.onmessage = ({ data }: MessageEvent<News>) => {
      const book = this.book.value;
      if (!book || book.sid !== data.sid) return;
      if (data.readGroup === undefined) location.reload();
      else void book.conversations.value.get(data.readGroup)?.readElsewhere(data.upTo);
    };
    this.#listen();
  }

  /** Resolves when it is known whether a user is signed in. */
  static async open(servers: Servers): Promise<Chat> {
    const chat = new Chat(new History(servers.url), servers);
    const sid = await chat.client.restored;
    if (sid !== undefined) await chat.#openBook(sid);
    return chat;
  }

  async signIn(number: PhoneNumber, verification_code: string, signal: AbortSignal): Promise<void> {
    await this.client.submitCode(verification_code, { signal });
    this.refusedSid.value = undefined;
    await this.client.signIn({ ...number, verification_code }, { signal });
    await this.#openBook(sidOf(number));
  }

  /** Forgets what this browser keeps of the user. */
  async signOut(): Promise<void> {
    const book = this.book.value;
    await this.client.signOut();
    this.book.value = undefined;
    if (!book) return;
    this.#books.delete(book.sid);
    await book
      .forget()
      .catch(() => this.notify('This browser did not remove what it had kept. Clear its data of this page.'));
    this.#tell({ sid: book.sid });
  }

  /** Leaves a group, or removes a conversation that is over. */
  async leave(groupId: number): Promise<void> {
    const book = this.book.value;
    if (book?.conversations.value.get(groupId)?.isOver.value) await book.remove(groupId, false);
    else await this.client.leaveGroup(groupId);
  }

  #listen(): void {
    const { client } = this;
    client.on('state', (state) => {
      this.connection.value = state;
    });
    client.on('group', async (group) => (await this.current())?.setGroup(group));
    client.on('groupRemoved', async (groupId) => (await this.current())?.end(groupId));
    client.on('groupsComplete', (groups) => this.#endOthers(groups));
    client.on('message', (message) => this.#receive(message));
    client.on('signInRefused', () => {
      this.refusedSid.value = this.book.value?.sid;
      this.book.value = undefined;
    });
    client.on('storage', (state) => {
      this.#clientFailure.value = state.status === 'failing' ? state.error : undefined;
    });
    this.#keepAgain();
    this.#history.onElsewhere(
      (kept) => void this.#adopt(kept),
      (removed) => void this.#remove(removed).catch(() => undefined),
    );
    client.on('error', (error) => {
      // The page shows this one as `storageFailure`.
      if (error instanceof NotKept) return;
      const text = error instanceof Error ? error.message : String(error);
      this.notify(`Something went wrong in this browser: ${text}`);
    });
  }

  /** While the browser's storage fails, tries it again and again. */
  #keepAgain(): void {
    this.#history.failure.subscribe((failure) => {
      clearTimeout(this.#keepingAgain);
      if (failure === undefined) return;
      const tryIn = (pause: number) => {
        this.#keepingAgain = setTimeout(async () => {
          await this.book.value?.keepAgain().catch(() => undefined);
          if (this.#history.failure.value !== undefined) tryIn(Math.min(pause * 2, keepAgainMaxMs));
        }, pause);
      };
      tryIn(keepAgainMinMs);
    });
  }

  /** The user looks at a conversation. */
  async markRead(groupId: number): Promise<void> {
    const book = this.book.value;
    const conversation = book?.conversations.value.get(groupId);
    if (!book || !conversation) return;
    this.#tell({ sid: book.sid, readGroup: groupId, upTo: conversation.last.value?.message_id ?? 0 });
    await conversation.markRead();
  }

  #tell(news: News): void {
    this.#tabs.postMessage(news);
  }

  /** Shows a notice to the user. */
  notify(text: string): void {
    this.notice.value = text;
  }

  async #receive(message: Message): Promise<void> {
    const book = await this.current();
    if (!book) throw new Error('nobody is signed in');
    this.#meet(book, message);
    await book.addMessage(message, this.isSeen(message.group_id));
    this.#announce(book, message);
  }

  /** Takes what another tab has kept. */
  async #adopt(kept: Kept): Promise<void> {
    const book = await this.current();
    const { record, message } = kept;
    if (book?.sid !== record.sid || !book.addKept(kept, this.isSeen(record.id))) return;
    // A tab without a connection cannot know whether it is its own that is on its way, or one with the same text.
    if (this.connection.value.status === 'signed-in') this.#meet(book, message);
    this.#announce(book, message);
  }

  /** Takes away what the user has removed in another tab. @throws NotKept */
  async #remove(removed: Removed): Promise<void> {
    const { sid, id, hasLeft } = removed;
    const book = await this.current();
    if (book?.sid !== sid || !(await book.removeElsewhere(removed))) return;
    if (openGroup.value === id) goTo(undefined);
    if (hasLeft) this.client.leftElsewhere(id);
  }

  #meet(book: Book, message: Message): void {
    const { group_id: readGroup, message_id: upTo } = message;
    if (message.sender_sid === book.sid) this.sending.delivered(message);
    else if (this.isSeen(readGroup)) this.#tell({ sid: book.sid, readGroup, upTo });
  }

  #announce(book: Book, { content, sender_sid }: Message): void {
    if (sender_sid === book.sid || !isVisible.value) return;
    this.announcement.value = `${book.notebook.nameOf(sender_sid)}: ${content}`;
  }

  isSeen(groupId: number): boolean {
    return openGroup.value === groupId && isVisible.value;
  }

  /** Groups in the history that the server did not name: the user left them on another device. */
  async #endOthers(groups: ReadonlyMap<number, Group>): Promise<void> {
    const book = await this.current();
    for (const [id, conversation] of book?.conversations.value ?? []) {
      if (!groups.has(id) && !conversation.isOver.value) {
        await conversation.end().catch(() => undefined);
      }
    }
  }

  /** The book of the user for whom the client is signed in. */
  async current(): Promise<Book | undefined> {
    const { sid } = this.client;
    return sid === undefined ? undefined : this.#openBook(sid);
  }

  async #openBook(sid: string): Promise<Book> {
    const opened = this.#books.get(sid) ?? Book.open(this.#history, this.servers.url, sid);
    this.#books.set(sid, opened);
    const book = await opened;
    if (this.client.sid === sid && this.refusedSid.value === undefined) {
      this.book.value = book;
      this.sending.refresh();
    }
    return book;
  }
}

import {
  type Client,
  type ConnectionState,
  createClient,
  type Group,
  type Message,
  type PhoneNumber,
} from '@hooligram/client';
import { computed, signal } from '@preact/signals';
import { History, NotKept } from '../history/history.ts';
import { sidOf } from '../phone.ts';
import { openGroup } from '../route.ts';
import type { Servers } from '../server-url.ts';
import { Book } from './book.ts';
import { clientStorage } from './client-storage.ts';
import { Sending } from './sending.ts';
import { Tabs } from './tabs.ts';

const keepAgainMinMs = 2_000;
const keepAgainMaxMs = 60_000;

/** The SDK's client and what the page shows of it. All that changes is a signal. */
export class Chat {
  readonly client: Client;
  readonly servers: Servers;
  readonly sending: Sending;
  readonly connection = signal<ConnectionState>({ status: 'connecting' });
  readonly hasNetwork = signal(navigator.onLine);
  /** Undefined while nobody is signed in. */
  readonly book = signal<Book | undefined>(undefined);
  /** Whose stored sign-in the server does not take any more. */
  readonly refusedSid = signal<string | undefined>(undefined);
  /** What the person should know, and takes notice of. */
  readonly notice = signal('');
  /** For those who do not see the page: the newest message. */
  readonly announcement = signal('');
  readonly isLookedAt = signal(!document.hidden);
  readonly unread = computed(() =>
    [...(this.book.value?.conversations.value.values() ?? [])].reduce(
      (sum, { unread }) => sum + unread.value,
      0,
    ),
  );
  readonly #clientTrouble = signal<unknown>(undefined);
  /** Why this browser does not keep everything at the moment; undefined while it does. */
  readonly storageTrouble = computed(() => this.#clientTrouble.value ?? this.#history.trouble.value);
  readonly #history: History;
  readonly #tabs: Tabs;
  readonly #books = new Map<string, Promise<Book>>();
  #keepingAgain: ReturnType<typeof setTimeout> | undefined;

  private constructor(history: History, servers: Servers) {
    this.#history = history;
    this.servers = servers;
    // A credential is for the server that took it: a link with another `?url=` must not carry it there.
    const storage = clientStorage(`hooligram client ${servers.url}`);
    this.client = createClient({ url: servers.url, storage });
    this.sending = new Sending(this);
    this.#tabs = new Tabs(servers.url, {
      onSignedOut: (sid) => sid === this.book.value?.sid && location.reload(),
      onRead: (sid, groupId) => {
        const conversation = this.book.value?.conversations.value.get(groupId);
        if (conversation && sid === this.book.value?.sid) conversation.unread.value = 0;
      },
    });
    this.#listen();
  }

  /** Resolves when it is known whether somebody is signed in. */
  static async open(servers: Servers): Promise<Chat> {
    const chat = new Chat(new History(servers.url), servers);
    const sid = await chat.client.restored;
    if (sid !== undefined) await chat.#enter(sid);
    return chat;
  }

  async signIn(number: PhoneNumber, verification_code: string, signal: AbortSignal): Promise<void> {
    await this.client.submitCode(verification_code, { signal });
    this.refusedSid.value = undefined;
    await this.client.signIn({ ...number, verification_code }, { signal });
    await this.#enter(sidOf(number));
  }

  /** Forgets what this browser keeps of the person. */
  async signOut(): Promise<void> {
    const book = this.book.value;
    await this.client.signOut();
    this.book.value = undefined;
    if (!book) return;
    this.#books.delete(book.sid);
    await book
      .forget()
      .catch(() => this.tell('This browser did not remove what it had kept. Clear its data of this page.'));
    this.#tabs.signedOut(book.sid);
  }

  /** Leaves a group, or throws away what is left of one that is over. */
  async leave(groupId: number): Promise<void> {
    const book = this.book.value;
    if (book?.conversations.value.get(groupId)?.isOver.value) await book.remove(groupId);
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
    client.on('message', (message) => this.#take(message));
    client.on('signInRefused', () => {
      this.refusedSid.value = this.book.value?.sid;
      this.book.value = undefined;
    });
    client.on('storage', (state) => {
      this.#clientTrouble.value = state.status === 'failing' ? state.error : undefined;
    });
    this.#keepAgain();
    client.on('error', (error) => {
      // It has a place of its own on the page.
      if (error instanceof NotKept) return;
      const text = error instanceof Error ? error.message : String(error);
      this.tell(`Something went wrong in this browser: ${text}`);
    });
    document.addEventListener('visibilitychange', () => {
      this.isLookedAt.value = !document.hidden;
    });
    addEventListener('online', () => {
      this.hasNetwork.value = true;
    });
    addEventListener('offline', () => {
      this.hasNetwork.value = false;
    });
  }

  /** While the browser's memory fails, tries whether it works again. */
  #keepAgain(): void {
    this.#history.trouble.subscribe((trouble) => {
      clearTimeout(this.#keepingAgain);
      if (trouble === undefined) return;
      const tryIn = (pause: number) => {
        this.#keepingAgain = setTimeout(async () => {
          await this.book.value?.keepAgain().catch(() => undefined);
          if (this.#history.trouble.value !== undefined) tryIn(Math.min(pause * 2, keepAgainMaxMs));
        }, pause);
      };
      tryIn(keepAgainMinMs);
    });
  }

  /** The person looks at a conversation. */
  async markRead(groupId: number): Promise<void> {
    const book = this.book.value;
    if (!book) return;
    this.#tabs.read(book.sid, groupId);
    await book.conversations.value.get(groupId)?.markRead();
  }

  /** Shows something that the person has to know. */
  tell(text: string): void {
    this.notice.value = text;
  }

  async #take(message: Message): Promise<void> {
    const book = await this.current();
    if (!book) throw new Error('nobody is signed in');
    const isOwn = message.sender_sid === book.sid;
    if (isOwn) this.sending.delivered(message);
    await book.take(message, this.isSeen(message.group_id));
    if (!isOwn && this.isLookedAt.value) {
      this.announcement.value = `${book.notebook.nameOf(message.sender_sid)}: ${message.content}`;
    }
  }

  isSeen(groupId: number): boolean {
    return openGroup.value === groupId && this.isLookedAt.value;
  }

  /** What history knows and the server did not name: the person left it elsewhere. */
  async #endOthers(groups: ReadonlyMap<number, Group>): Promise<void> {
    const book = await this.current();
    for (const [id, conversation] of book?.conversations.value ?? []) {
      if (!groups.has(id) && !conversation.isOver.value) {
        await conversation.end().catch(() => undefined);
      }
    }
  }

  /** Of the person for whom the client is signed in. */
  async current(): Promise<Book | undefined> {
    const { sid } = this.client;
    return sid === undefined ? undefined : this.#enter(sid);
  }

  async #enter(sid: string): Promise<Book> {
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

import { type Message, type OutboxChange, type QueuedRequest, uuid } from '@hooligram/client';
import { signal } from '@preact/signals';
import type { RefusedMessage } from '../history/history.ts';
import { goTo, openGroup } from '../route.ts';
import type { Book } from './book.ts';
import type { Chat } from './chat.ts';

export type SendRequest = Extract<QueuedRequest, { type: 'MESSAGING_SEND_REQUEST' }>;

/** The requests of the user and their outcomes, also of those that an earlier page left in the outbox. */
export class Sending {
  readonly outbox = signal<readonly QueuedRequest[]>([]);
  /** Requests whose message was delivered before their answer came: shown once. */
  readonly #delivered = signal<ReadonlySet<string>>(new Set());
  readonly #chat: Chat;
  /** The request that creates the group that opens when it is there. */
  #created: string | undefined;

  constructor(chat: Chat) {
    this.#chat = chat;
    chat.client.on('outbox', (change) => this.#changed(change));
  }

  refresh(): void {
    this.outbox.value = this.#chat.client.outbox;
  }

  /** Messages to a group that have no answer yet, oldest first. */
  messagesTo(groupId: number): readonly SendRequest[] {
    return this.outbox.value.filter(
      (request): request is SendRequest =>
        request.type === 'MESSAGING_SEND_REQUEST' &&
        request.payload.group_id === groupId &&
        !this.#delivered.value.has(request.id),
    );
  }

  send(groupId: number, content: string): void {
    this.#report(this.#chat.client.send(groupId, content));
  }

  create(name: string, sids: readonly string[]): void {
    this.#created = uuid();
    this.#report(this.#chat.client.createGroup(name, sids, { id: this.#created }));
  }

  add(groupId: number, sid: string): void {
    this.#report(this.#chat.client.addMember(groupId, sid));
  }

  leave(groupId: number): void {
    this.#report(this.#chat.leave(groupId));
    if (openGroup.value === groupId) goTo(undefined);
  }

  again(message: RefusedMessage): void {
    void this.#chat.book.value?.dropRefused(message);
    this.send(message.groupId, message.content);
  }

  /** One of the user's own messages was delivered; the answer will say which request it was. */
  delivered({ group_id, content }: Message): void {
    const request = this.messagesTo(group_id).find(({ payload }) => payload.content === content);
    if (request) this.#delivered.value = new Set(this.#delivered.value).add(request.id);
  }

  /** A request that was not even queued is reported here; all others by the event `outbox`. */
  #report(sent: Promise<unknown>): void {
    sent.catch((error: { readonly reason?: string; readonly message: string }) => {
      if (error.reason === 'too-large') this.#chat.notify('That is too long to be sent as one message.');
    });
  }

  async #changed(change: OutboxChange): Promise<void> {
    const { request } = change;
    this.refresh();
    if (change.status === 'queued') return;
    const book = this.#chat.book.value ?? (await this.#chat.current());
    if (!book) return;
    this.#delivered.value = new Set([...this.#delivered.value].filter((id) => id !== request.id));
    if (change.status === 'failed') return this.#failed(book, request, change.error.errors);
    if (change.status !== 'succeeded') return;
    if (request.type === 'MESSAGING_SEND_REQUEST') {
      const message = {
        ...request.payload,
        message_id: change.answer.message_id ?? 0,
        sender_sid: book.sid,
        date_created: new Date(request.createdAt).toISOString(),
      };
      const known = book.conversations.value.get(message.group_id)?.messages.value;
      const isKnown = known?.some(({ message_id }) => message_id === message.message_id);
      if (!isKnown) await book.addMessage(message, true);
    }
    if (request.type === 'GROUP_CREATE_REQUEST' && request.id === this.#created) goTo(change.answer.group_id);
    if (request.type === 'GROUP_LEAVE_REQUEST') await book.remove(request.payload.group_id, true);
  }

  async #failed(book: Book, request: QueuedRequest, errors: readonly string[]): Promise<void> {
    if (request.type === 'MESSAGING_SEND_REQUEST') {
      const { id, createdAt, payload } = request;
      await book.refuse({
        sid: book.sid,
        id,
        createdAt,
        errors,
        groupId: payload.group_id,
        content: payload.content,
      });
      return;
    }
    this.#chat.notify(`${whatFailed[request.type]}: ${explain(errors)}`);
  }
}

const whatFailed = {
  GROUP_CREATE_REQUEST: 'The chat was not created',
  GROUP_ADD_MEMBER_REQUEST: 'Nobody was added',
  GROUP_LEAVE_REQUEST: 'You have not left',
} as const;

const explanations: Readonly<Record<string, string>> = {
  'payload.member_sid: nobody has this sid': 'nobody with this number has signed up yet',
  'payload.phone_number: must be a possible number of its country code':
    'there are no numbers of this length with this country code',
  'payload.phone_number: must be a valid number of its country code': 'nobody can have this number',
  'wrong code': 'this is not the right code',
  'wrong phone number or verification code': 'this is not the right code',
  'no code was requested on this connection': 'the connection broke meanwhile; ask for another code',
};

/** The server's error texts for users, who do not know the protocol. */
export function explain(errors: readonly string[]): string {
  return errors
    .map((text) => explanations[text.replace(/member_sids\[\d+\]/, 'phone_number')] ?? text)
    .join('; ');
}

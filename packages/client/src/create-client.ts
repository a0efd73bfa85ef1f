import type { PayloadOf, SuccessOf } from '@hooligram/protocol';
import { errorTexts } from '@hooligram/protocol/error-texts';
import { abortable } from './abortable.ts';
import { Account } from './account.ts';
import type { Client, Credential, PhoneNumber } from './client.ts';
import { Connection } from './connection.ts';
import { Emitter } from './emitter.ts';
import { closedError, RequestError } from './errors.ts';
import type { ClientEvents, ConnectionState, Group } from './events.ts';
import { listenForHints } from './hints.ts';
import { type ClientOptions, type QueuedRequestOptions, type RequestOptions, settingsOf } from './options.ts';
import type { NewRequest } from './outbox.ts';
import { pause } from './pause.ts';
import type { Answer, Socket } from './socket.ts';
import { Store } from './store.ts';
import { uuid } from './uuid.ts';

/**
 * Connects at once. Handlers that are added in the same tick miss nothing.
 * @throws TypeError when there is no WebSocket
 * @throws SyntaxError when the url is none of a WebSocket
 */
export function createClient(options: ClientOptions): Client {
  return new LiveClient(options);
}

type DirectType = 'VERIFICATION_REQUEST_CODE_REQUEST' | 'VERIFICATION_SUBMIT_CODE_REQUEST';

const noGroups: ReadonlyMap<number, Group> = new Map();

/** A handler that itself waits for `close` would never end. */
const handlersMs = 10_000;

class LiveClient implements Client {
  readonly #emitter = new Emitter();
  readonly #connection: Connection;
  readonly #store: Store;
  readonly #account: Account;
  #hurry!: () => void;
  /** Resolves when `close` need not wait any longer. */
  readonly #impatient = new Promise<void>((resolve) => {
    this.#hurry = resolve;
  });
  /** Aborts when `close` is called. */
  readonly #ended = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(options: ClientOptions) {
    const settings = settingsOf(options);
    this.#connection = new Connection(
      settings,
      {
        onOpen: (socket) => void this.#account.signingIn.on(socket),
        onDelivery: (socket, frame) => this.#account.user?.deliveries.receive(socket, frame),
      },
      (state) => this.#emitter.emit('state', state),
    );
    this.#connection.connectNow();
    this.#store = new Store(settings.storage, this.#emitter);
    this.#account = new Account(this.#connection, this.#store, this.#emitter);
    listenForHints((hasNetwork) => this.#connection.doubt(hasNetwork), this.#ended.signal);
  }

  get restored() {
    return this.#account.restored;
  }

  get state() {
    return this.#connection.state;
  }

  get storage() {
    return this.#store.state;
  }

  get sid() {
    return this.#account.user?.sid;
  }

  get groups() {
    return this.#account.user?.deliveries.list.groups ?? noGroups;
  }

  get outbox() {
    return this.#account.user?.outbox.requests ?? [];
  }

  on<E extends keyof ClientEvents>(event: E, handler: ClientEvents[E], { signal }: RequestOptions = {}) {
    return this.#emitter.on(event, handler, signal);
  }

  async requestCode({ country_code, phone_number }: PhoneNumber, options?: RequestOptions) {
    const payload = { country_code, phone_number };
    await this.#request(
      (socket) => socket.request('VERIFICATION_REQUEST_CODE_REQUEST', uuid(), payload),
      options,
    );
  }

  async submitCode(verification_code: string, options?: RequestOptions) {
    const payload = { verification_code };
    const { token } = await this.#request(
      (socket) => socket.request('VERIFICATION_SUBMIT_CODE_REQUEST', uuid(), payload),
      options,
    );
    const known = typeof token === 'string' ? token : undefined;
    this.#account.verified(verification_code, known);
    return known;
  }

  async signIn({ country_code, phone_number, verification_code }: Credential, options: RequestOptions = {}) {
    if (this.#closed) throw closedError();
    await this.#account.signIn({ country_code, phone_number, verification_code }, options.signal);
  }

  async signOut() {
    if (this.#closed) throw closedError();
    await this.#account.signOut();
  }

  async createGroup(group_name: string, others: readonly string[], options?: QueuedRequestOptions) {
    const { group_id = 0 } = await this.#queue(options, (sid) => {
      const member_sids = [...new Set([sid, ...others])];
      return { type: 'GROUP_CREATE_REQUEST', payload: { group_name, member_sids } };
    });
    return group_id;
  }

  async addMember(group_id: number, member_sid: string, options?: QueuedRequestOptions) {
    const payload = { group_id, member_sid };
    await this.#queue(options, () => ({ type: 'GROUP_ADD_MEMBER_REQUEST', payload }));
  }

  async leaveGroup(group_id: number, options?: QueuedRequestOptions) {
    await this.#queue(options, () => ({ type: 'GROUP_LEAVE_REQUEST', payload: { group_id } }));
  }

  leftElsewhere(groupId: number) {
    this.#account.user?.deliveries.left(groupId);
  }

  async send(group_id: number, content: string, options?: QueuedRequestOptions) {
    const payload = { group_id, content };
    const { message_id = 0 } = await this.#queue(options, () => ({
      type: 'MESSAGING_SEND_REQUEST',
      payload,
    }));
    return message_id;
  }

  connect() {
    this.#connection.connectNow();
  }

  close({ signal }: RequestOptions = {}) {
    if (signal?.aborted) this.#hurry();
    signal?.addEventListener('abort', this.#hurry, { once: true });
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #request<T extends DirectType>(
    send: (socket: Socket) => Promise<Answer<T> | undefined>,
    { signal }: RequestOptions = {},
  ): Promise<PayloadOf<SuccessOf<T>>> {
    signal?.throwIfAborted();
    const socket = await abortable(this.#connection.whenOpen(this.#ended.signal), signal);
    const answer = await abortable(send(socket), signal);
    if (!answer) throw new RequestError('connection-lost', ['the connection broke before the answer']);
    if (!answer.ok) throw new RequestError('failure', answer.errors);
    return answer.payload;
  }

  async #queue(options: QueuedRequestOptions = {}, requestOf: (sid: string) => NewRequest) {
    if (this.#closed) throw closedError();
    const user = await this.#account.settled();
    options.signal?.throwIfAborted();
    if (!user) throw new RequestError('not-signed-in', [errorTexts.notSignedIn.text]);
    return user.outbox.add(requestOf(user.sid), options);
  }

  async #end(): Promise<void> {
    this.#ended.abort(closedError());
    const impatient = this.#impatient;
    await Promise.race([this.#account.settled(), impatient]);
    const { user, signingIn } = this.#account;
    if (user && isSignedIn(this.state)) {
      const lost = new Promise<void>((resolve) =>
        this.on('state', (state) => isSignedIn(state) || resolve()),
      );
      await Promise.race([user.outbox.idle(), lost, impatient]);
    }
    signingIn.end(closedError());
    const left = new AbortController();
    await Promise.race([user?.deactivate(), pause(handlersMs, left.signal), impatient]);
    left.abort();
    await Promise.race([Promise.all([this.#connection.finish(), this.#store.close()]), impatient]);
  }
}

function isSignedIn({ status }: ConnectionState): boolean {
  return status === 'signing-in' || status === 'signed-in';
}

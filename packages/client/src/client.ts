import type { ClientEvents, ConnectionState, Group, QueuedRequest, StorageState } from './events.ts';
import type { QueuedRequestOptions, RequestOptions } from './options.ts';

/** A telephone number, digits only. */
export type PhoneNumber = {
  readonly country_code: string;
  readonly phone_number: string;
};

/** A number, and the code that was last submitted for it rightly, or its token. */
export type Credential = PhoneNumber & {
  readonly verification_code: string;
};

/**
 * One user's connection to the server. It reconnects by itself, as close codes say, and signs in again.
 *
 * `createGroup`, `addMember`, `leaveGroup` and `send` go through the outbox: they may be called while there is no
 * connection, are repeated with the same UUID until they have an answer, take effect once, and with a lasting
 * storage outlive the page. Those that name the same group take effect in the order of the calls. `server busy`
 * is tried again; every other FAILURE rejects with a `RequestError`.
 */
export type Client = {
  /** Resolves when the storage has been read, or is given up for now: with the sid of the user who is signed in, if there is one. */
  readonly restored: Promise<string | undefined>;
  readonly state: ConnectionState;
  /** Whether the storage works. It is known when it was read, see `restored`. */
  readonly storage: StorageState;
  /** The address of the user who signed in last; undefined before the first sign-in and after `signOut`. */
  readonly sid: string | undefined;
  /**
   * The groups that the user is in, by `group_id`. Replaced, never changed, so that two of them can be compared
   * with `===`. Kept while there is no connection; after a sign-in, what is no longer told vanishes.
   */
  readonly groups: ReadonlyMap<number, Group>;
  /** The requests of this user that have no answer yet, oldest first. Replaced, never changed. */
  readonly outbox: readonly QueuedRequest[];

  /** @returns a function that takes the handler away again, as `signal` does */
  on<E extends keyof ClientEvents>(event: E, handler: ClientEvents[E], options?: RequestOptions): () => void;

  /**
   * Asks for a code to a phone, as soon as there is a connection. Not repeated by itself.
   * @throws RequestError `connection-lost` when the connection breaks before the answer
   */
  requestCode(number: PhoneNumber, options?: RequestOptions): Promise<void>;
  /**
   * Submits the code, on the connection that asked for it: when that broke since, the server says `no code was
   * requested on this connection`. Does not sign in. The server ends the sessions of the credential before with 4401; one
   * on this connection goes on.
   * @returns the token of the new credential; undefined from a server that makes none. Nobody has to keep it for this
   *   client. Another device that signs in with it, as `verification_code`, joins this one, where a code of its own would
   *   end the sessions here: show it to nobody else
   * @throws RequestError `connection-lost` when the connection breaks before the answer
   */
  submitCode(verificationCode: string, options?: RequestOptions): Promise<string | undefined>;
  /**
   * Signs in, and again on every later connection, with a lasting storage also of later pages. In the place of a code that
   * was just submitted here, the token is used and kept that came with the server's answer; the code is void then. As somebody else
   * than before it takes a new connection. Resolves at the first success; goes on trying while the server is busy
   * or cannot be reached.
   */
  signIn(credential: Credential, options?: RequestOptions): Promise<void>;
  /** Forgets the credential, the groups and the outbox of the user, and takes a new connection. */
  signOut(): Promise<void>;

  /**
   * @param memberSids the others; oneself is added
   * @param groupName may be empty for exactly one other, which makes a direct message
   * @returns the `group_id`
   */
  createGroup(
    groupName: string,
    memberSids: readonly string[],
    options?: QueuedRequestOptions,
  ): Promise<number>;
  addMember(groupId: number, memberSid: string, options?: QueuedRequestOptions): Promise<void>;
  leaveGroup(groupId: number, options?: QueuedRequestOptions): Promise<void>;
  /**
   * Says that the user has left a group in another client, such as another tab of the browser: the server answers that one
   * alone, and this one would not hear of it before its next sign-in. The group vanishes from `groups`, with `groupRemoved`;
   * nothing is sent.
   */
  leftElsewhere(groupId: number): void;
  /**
   * @returns the `message_id`, when the message is committed to the server's database
   * @throws RequestError `too-large` when it does not fit into a frame: at once, and nothing is queued
   *   (`messageBytesOver` tells it beforehand)
   */
  send(groupId: number, content: string, options?: QueuedRequestOptions): Promise<number>;

  /** Tries now instead of waiting for the next try; asks a connection that looks open whether it lives. */
  connect(): void;
  /**
   * Takes no more requests, waits until those in the outbox are answered and the handlers have ended, as long as
   * the connection lasts (handlers: at most 10 s), and closes it. What has no answer by then rejects with `closed`, and stays in a lasting
   * storage for the next client.
   * @param options `signal` ends the waiting
   */
  close(options?: RequestOptions): Promise<void>;
};

import { errorTexts } from '@hooligram/protocol/error-texts';
import { abortable } from './abortable.ts';
import type { Credential } from './client.ts';
import type { Connection } from './connection.ts';
import type { Emitter } from './emitter.ts';
import { closedError, RequestError } from './errors.ts';
import { KeyedQueue } from './keyed-queue.ts';
import type { AbortSignalLike } from './options.ts';
import { SignIn } from './sign-in.ts';
import type { Store } from './store.ts';
import { User } from './user.ts';

const credentialKey = 'credential';

/** The user who is signed in, was last, or will be: changes of the user happen here, one after the other. */
export class Account {
  user: User | undefined;
  /** Resolves when the storage has been read, with the sid of the stored credential. */
  readonly restored: Promise<string | undefined>;
  readonly signingIn: SignIn;
  readonly #connection: Connection;
  readonly #store: Store;
  readonly #emitter: Emitter;
  /** The token of the code that was submitted last, in memory until it has signed in. */
  readonly #tokens = new Map<string, string>();
  readonly #changes = new KeyedQueue<'user'>();

  constructor(connection: Connection, store: Store, emitter: Emitter) {
    this.#connection = connection;
    this.#store = store;
    this.#emitter = emitter;
    this.signingIn = new SignIn(connection, {
      onSigningIn: () => this.user?.deliveries.list.expect(),
      onSignedIn: (socket, credential, isNew) => {
        // One that was accepted before is stored already, or another page has signed out since.
        if (isNew) void store.set(credentialKey, credential);
        this.user?.activate(socket);
      },
      onRefused: (errors, credential) => void this.#inOrder(() => this.#refused(errors, credential)),
    });
    this.restored = this.#inOrder(() => this.#restore());
  }

  /** Resolves when all changes that were called before have happened. */
  async settled(): Promise<User | undefined> {
    return this.#inOrder(async () => this.user);
  }

  /**
   * A code was submitted rightly: the token that came with it is what is kept in its place.
   * @param token undefined from a server that makes none
   */
  verified(code: string, token: string | undefined): void {
    this.#tokens.clear();
    if (token !== undefined) this.#tokens.set(code, token);
  }

  /** Signs in with the token of the code, if there is one. */
  async signIn(credential: Credential, signal: AbortSignalLike | undefined): Promise<void> {
    const verification_code = this.#tokens.get(credential.verification_code);
    if (verification_code === undefined) return this.#signInWith(credential, signal);
    try {
      await this.#signInWith({ ...credential, verification_code }, signal);
    } catch (error) {
      // A core of the release before knows the code and not the token, or the code was another number's.
      if (!isWrongCredential(error)) throw error;
      await this.#signInWith(credential, signal);
    }
    this.#tokens.clear();
  }

  async #signInWith(credential: Credential, signal: AbortSignalLike | undefined): Promise<void> {
    const accepted = this.#inOrder(async () => {
      await this.#become(sidOf(credential));
      signal?.throwIfAborted();
      this.signingIn.begin(credential, false);
      // Not awaited here: the next change need not wait for a server.
      return { accepted: this.signingIn.accepted(signal) };
    });
    await abortable(accepted, signal).then(({ accepted }) => accepted);
  }

  signOut(): Promise<void> {
    return this.#inOrder(async () => {
      this.signingIn.end(closedError());
      void this.user?.forget();
      this.user = undefined;
      await this.#store.delete(credentialKey);
      this.#connection.renew();
    });
  }

  async #restore(): Promise<string | undefined> {
    const stored = await this.#store.load();
    const credential = stored.get(credentialKey) as Credential | undefined;
    if (!credential) return undefined;
    this.user = new User(this.#store, this.#emitter, sidOf(credential), stored);
    this.signingIn.begin(credential, true);
    return this.user.sid;
  }

  async #refused(errors: readonly string[], refused: Credential): Promise<void> {
    if (this.signingIn.isUnderWay) return;
    const stored = (await this.#store.load()).get(credentialKey) as Credential | undefined;
    if (stored?.verification_code === refused.verification_code) await this.#store.delete(credentialKey);
    else if (stored && sidOf(stored) === sidOf(refused)) {
      // Another page on this storage has verified the number again.
      this.signingIn.begin(stored, true);
      return;
    }
    this.#emitter.emit('signInRefused', errors);
  }

  async #become(sid: string): Promise<void> {
    const before = this.user;
    if (before?.sid === sid) return;
    this.user = new User(this.#store, this.#emitter, sid, await this.#store.load());
    if (!before) return;
    // A connection that is signed in stays that of the user before.
    void before.deactivate();
    this.#connection.renew();
  }

  #inOrder<T>(body: () => Promise<T>): Promise<T> {
    return this.#changes.run('user', body);
  }
}

function isWrongCredential(error: unknown): boolean {
  return error instanceof RequestError && error.errors[0] === errorTexts.wrongCredential.text;
}

function sidOf({ country_code, phone_number }: Credential): string {
  return `${country_code}.${phone_number}`;
}

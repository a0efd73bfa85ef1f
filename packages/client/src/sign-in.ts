import { errorTexts, mayRetry } from '@hooligram/protocol/error-texts';
import { abortable } from './abortable.ts';
import { backoffMs } from './backoff.ts';
import type { Credential } from './client.ts';
import type { Connection } from './connection.ts';
import { RequestError } from './errors.ts';
import type { AbortSignalLike } from './options.ts';
import { pause } from './pause.ts';
import type { Socket } from './socket.ts';
import { uuid } from './uuid.ts';

type Waiter = {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

type SignInOwner = {
  /** Called before the request leaves: from here on the server sends the state of every group. */
  onSigningIn(): void;
  /** @param isNew whether it is the first success of this credential */
  onSignedIn(socket: Socket, credential: Credential, isNew: boolean): void;
  /** The credential is not valid now, and no call waits for this sign-in. */
  onRefused(errors: readonly string[], credential: Credential): void;
};

/** Signs in on each socket with the credential that was given last. */
export class SignIn {
  readonly #connection: Connection;
  readonly #owner: SignInOwner;
  #credential: Credential | undefined;
  /** The last one with which it succeeded: used again when another one for the same user is refused. */
  #accepted: Credential | undefined;
  #waiters = new Set<Waiter>();

  constructor(connection: Connection, owner: SignInOwner) {
    this.#connection = connection;
    this.#owner = owner;
  }

  /** Whether there is a credential to sign in with. */
  get isUnderWay(): boolean {
    return this.#credential !== undefined;
  }

  /** Begins, and goes on with every new socket. */
  begin(credential: Credential, wasAccepted: boolean): void {
    this.#credential = credential;
    if (wasAccepted) this.#accepted = credential;
    else if (this.#accepted && !isSameUser(this.#accepted, credential)) this.#accepted = undefined;
    if (this.#connection.socket) void this.on(this.#connection.socket);
  }

  /** Waits for the first success. */
  accepted(signal: AbortSignalLike | undefined): Promise<void> {
    let own: Waiter | undefined;
    const accepted = new Promise<void>((resolve, reject) => {
      own = { resolve, reject };
      this.#waiters.add(own);
    });
    return abortable(accepted, signal, () => {
      if (own) this.#waiters.delete(own);
      if (this.#waiters.size === 0) this.#goBack();
    });
  }

  /** Forgets the credential. */
  end(why: RequestError): void {
    this.#credential = undefined;
    this.#accepted = undefined;
    this.#settle((waiter) => waiter.reject(why));
  }

  /** To be called with each socket that is open. */
  async on(socket: Socket): Promise<void> {
    const credential = this.#credential;
    for (let failures = 0; credential && credential === this.#credential && socket.isOpen; failures += 1) {
      this.#connection.setState({ status: 'signing-in' });
      this.#owner.onSigningIn();
      const answer = await socket.request('AUTHORIZATION_SIGN_IN_REQUEST', uuid(), credential);
      // The next socket goes on, or the next credential.
      if (!answer || credential !== this.#credential || !socket.isOpen) return;
      if (answer.ok) {
        const isNew = this.#accepted !== credential;
        this.#accepted = credential;
        this.#connection.setState({ status: 'signed-in' });
        this.#owner.onSignedIn(socket, credential, isNew);
        this.#settle((waiter) => waiter.resolve());
        return;
      }
      if (!this.#mayGoOn(answer.errors)) return this.#refuse(answer.errors, credential);
      await pause(backoffMs(failures, Math.random()), socket.ended);
    }
  }

  /** A call that waits rejects at a limit, which lasts; a sign-in that repeats by itself waits for its end. */
  #mayGoOn(errors: readonly string[]): boolean {
    return this.#waiters.size > 0 ? errors[0] === errorTexts.serverBusy.text : mayRetry(errors);
  }

  #refuse(errors: readonly string[], credential: Credential): void {
    const isAwaited = this.#waiters.size > 0;
    this.#goBack();
    this.#settle((waiter) => waiter.reject(new RequestError('failure', errors)));
    if (!isAwaited) this.#owner.onRefused(errors, credential);
  }

  /** To the credential before this one; this one is of no use. */
  #goBack(): void {
    const before = this.#accepted === this.#credential ? undefined : this.#accepted;
    this.#credential = undefined;
    this.#accepted = undefined;
    if (before) this.begin(before, true);
    else if (this.#connection.socket) this.#connection.setState({ status: 'connected' });
  }

  #settle(how: (waiter: Waiter) => void): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) how(waiter);
  }
}

function isSameUser(one: Credential, other: Credential): boolean {
  return one.country_code === other.country_code && one.phone_number === other.phone_number;
}

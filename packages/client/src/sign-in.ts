import { errorTexts, mayRetry } from '@hooligram/protocol/error-texts';
import { abortable } from './abortable.ts';
import { backoffMs } from './backoff.ts';
import type { Credential } from './client.ts';
import type { Connection } from './connection.ts';
import { RequestError } from './errors.ts';
import type { Link } from './link.ts';
import type { AbortSignalLike } from './options.ts';
import { pause } from './pause.ts';
import { uuid } from './uuid.ts';

type Waiter = {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

type SignInOwner = {
  /** Before the request leaves: what is delivered from here on is all that there is. */
  onSigningIn(): void;
  /** @param isNew whether it is the first success of this credential */
  onSignedIn(link: Link, credential: Credential, isNew: boolean): void;
  /** Nobody waits for this sign-in, and its credential will not do any more. */
  onRefused(errors: readonly string[], credential: Credential): void;
};

/** Signs in on each link with the credential that was given last. */
export class SignIn {
  readonly #connection: Connection;
  readonly #owner: SignInOwner;
  #credential: Credential | undefined;
  /** The last one with which it succeeded: what it goes back to when another one for the same person is refused. */
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

  /** Begins, and goes on with every new link. */
  begin(credential: Credential, wasAccepted: boolean): void {
    this.#credential = credential;
    if (wasAccepted) this.#accepted = credential;
    else if (this.#accepted && !isSamePerson(this.#accepted, credential)) this.#accepted = undefined;
    if (this.#connection.link) void this.on(this.#connection.link);
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

  /** To be called with each link that is open. */
  async on(link: Link): Promise<void> {
    const credential = this.#credential;
    for (let failures = 0; credential && credential === this.#credential && link.isOpen; failures += 1) {
      this.#connection.setState({ status: 'signing-in' });
      this.#owner.onSigningIn();
      const answer = await link.request('AUTHORIZATION_SIGN_IN_REQUEST', uuid(), credential);
      // The next link goes on, or the next credential.
      if (!answer || credential !== this.#credential || !link.isOpen) return;
      if (answer.ok) {
        const isNew = this.#accepted !== credential;
        this.#accepted = credential;
        this.#connection.setState({ status: 'signed-in' });
        this.#owner.onSignedIn(link, credential, isNew);
        this.#settle((waiter) => waiter.resolve());
        return;
      }
      if (!this.#goesOn(answer.errors)) return this.#refuse(answer.errors, credential);
      await pause(backoffMs(failures, Math.random()), link.ended);
    }
  }

  /** Whoever waits is told of a limit, which lasts; who signs in again and again by themselves waits for its end. */
  #goesOn(errors: readonly string[]): boolean {
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
    else if (this.#connection.link) this.#connection.setState({ status: 'connected' });
  }

  #settle(how: (waiter: Waiter) => void): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) how(waiter);
  }
}

function isSamePerson(one: Credential, other: Credential): boolean {
  return one.country_code === other.country_code && one.phone_number === other.phone_number;
}

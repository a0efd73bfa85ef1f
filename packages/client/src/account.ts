import { abortable } from './abortable.ts';
import type { Credential } from './client.ts';
import type { Connection } from './connection.ts';
import type { Emitter } from './emitter.ts';
import { closedError } from './errors.ts';
import type { AbortSignalLike } from './options.ts';
import { Person } from './person.ts';
import { SignIn } from './sign-in.ts';
import type { Vault } from './vault.ts';

const credentialKey = 'credential';

/** Who is signed in, was last, or will be: changes of the person happen here, one after the other. */
export class Account {
  person: Person | undefined;
  /** Resolves when the storage has been read, with the sid of the stored credential. */
  readonly restored: Promise<string | undefined>;
  readonly signingIn: SignIn;
  readonly #connection: Connection;
  readonly #vault: Vault;
  readonly #emitter: Emitter;
  #turn: Promise<unknown>;

  constructor(connection: Connection, vault: Vault, emitter: Emitter) {
    this.#connection = connection;
    this.#vault = vault;
    this.#emitter = emitter;
    this.signingIn = new SignIn(connection, {
      onSigningIn: () => this.person?.deliveries.list.expect(),
      onSignedIn: (link, credential, isNew) => {
        // One that was accepted before is stored already, or another page has signed out since.
        if (isNew) void vault.set(credentialKey, credential);
        this.person?.enter(link);
      },
      onRefused: (errors, credential) => void this.#inTurn(() => this.#refused(errors, credential)),
    });
    this.restored = this.#restore();
    this.#turn = this.restored;
  }

  /** Resolves when all changes that were asked for before have happened. */
  async settled(): Promise<Person | undefined> {
    await this.#turn;
    return this.person;
  }

  async signIn(credential: Credential, signal: AbortSignalLike | undefined): Promise<void> {
    const accepted = this.#inTurn(async () => {
      await this.#become(sidOf(credential));
      signal?.throwIfAborted();
      this.signingIn.begin(credential, false);
      // Not awaited here: the next change need not wait for a server.
      return { accepted: this.signingIn.accepted(signal) };
    });
    await abortable(accepted, signal).then(({ accepted }) => accepted);
  }

  signOut(): Promise<void> {
    return this.#inTurn(async () => {
      this.signingIn.end(closedError());
      void this.person?.leave('forget');
      this.person = undefined;
      await this.#vault.delete(credentialKey);
      this.#connection.renew();
    });
  }

  async #restore(): Promise<string | undefined> {
    const stored = await this.#vault.load();
    const credential = stored.get(credentialKey) as Credential | undefined;
    if (!credential) return undefined;
    this.person = new Person(this.#vault, this.#emitter, sidOf(credential), stored);
    this.signingIn.begin(credential, true);
    return this.person.sid;
  }

  async #refused(errors: readonly string[], refused: Credential): Promise<void> {
    if (this.signingIn.isUnderWay) return;
    const stored = (await this.#vault.load()).get(credentialKey) as Credential | undefined;
    if (stored?.verification_code === refused.verification_code) await this.#vault.delete(credentialKey);
    else if (stored && sidOf(stored) === sidOf(refused)) {
      // Another page on this storage has verified the number anew.
      this.signingIn.begin(stored, true);
      return;
    }
    this.#emitter.emit('signInRefused', errors);
  }

  async #become(sid: string): Promise<void> {
    const before = this.person;
    if (before?.sid === sid) return;
    this.person = new Person(this.#vault, this.#emitter, sid, await this.#vault.load());
    if (!before) return;
    // A connection that is signed in stays the first person's.
    void before.leave('leave');
    this.#connection.renew();
  }

  #inTurn<T>(body: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(body);
    this.#turn = run.catch(() => undefined);
    return run;
  }
}

function sidOf({ country_code, phone_number }: Credential): string {
  return `${country_code}.${phone_number}`;
}

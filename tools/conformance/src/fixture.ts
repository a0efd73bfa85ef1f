import { setTimeout as pause } from 'node:timers/promises';
import { phoneOf } from '@hooligram/protocol';
import { Client } from './client.ts';
import { Failure } from './failure.ts';
import { MobileClient } from './mobile-client.ts';
import { type Exchanged, Trace } from './trace.ts';
import { randomSid, type User } from './users.ts';

export type FixtureOptions = {
  readonly url: string;
  /** Brings the code that the server sent to a number. Rejects with RunError when it cannot. */
  readonly codeOf: (sid: string) => Promise<string>;
  /** Who have signed up in this run. Checks share them, because each one costs a code. */
  readonly users: User[];
  readonly countryCode: string;
  readonly timeoutMs: number;
  readonly quietMs: number;
  readonly badFramesMax: number;
  /** Also the checks that take many seconds. */
  readonly slow: boolean;
};

type Acknowledging = { readonly acknowledges?: boolean };

/** What one check acts on: users and connections of its own. The connections are closed at its end. */
export class Fixture {
  readonly options: FixtureOptions;
  readonly trace = new Trace();
  /** What the server sent that no server may ever send. */
  readonly violations: string[] = [];
  readonly #clients: Client[] = [];
  readonly #mobiles: MobileClient[] = [];
  readonly #present: User[] = [];

  constructor(options: FixtureOptions) {
    this.options = options;
  }

  /** Opens a connection on which nobody is signed in. */
  async connect({ acknowledges = true }: Acknowledging = {}): Promise<Client> {
    const client = new Client({
      ...this.options,
      acknowledges,
      onExchange: this.#record(),
      onViolation: (what) => this.violations.push(what),
    });
    await client.opened.catch(({ message }: Error) => {
      throw new Failure(`cannot connect to ${this.options.url}: ${message}`);
    });
    this.#clients.push(client);
    return client;
  }

  /** A connection on which a user is signed in who has no other connection in this check. */
  async signedIn(options: Acknowledging = {}): Promise<Client> {
    return this.signedInAs(await this.#otherUser(), options);
  }

  /** The mobile client of a user who has no other connection in this check, signed in. */
  async mobile(): Promise<MobileClient> {
    const { url, timeoutMs } = this.options;
    const { sid, code = '' } = await this.#otherUser();
    const onViolation = (what: string) => this.violations.push(what);
    const client = new MobileClient({ url, sid, code, timeoutMs, onExchange: this.#record(), onViolation });
    this.#mobiles.push(client);
    await client.signedIn();
    return client;
  }

  async signedInAs(user: User, options: Acknowledging = {}): Promise<Client> {
    const client = await this.connect(options);
    await this.signIn(client, user);
    return client;
  }

  async signIn(client: Client, user: User): Promise<void> {
    const { sid, code } = user;
    await client.succeed('AUTHORIZATION_SIGN_IN', { ...phoneOf(sid), verification_code: code });
    client.user = user;
  }

  /** Signs up a number that the server does not know. Later checks may act as this user too. */
  async newUser(): Promise<User> {
    const sid = this.unknownSid();
    const user = { sid, code: await this.signUp(await this.connect(), sid) };
    this.#present.push(user);
    this.options.users.push(user);
    return user;
  }

  /** @returns the code, which is the number's credential from now on */
  async signUp(client: Client, sid: string): Promise<string> {
    return (await this.verify(client, sid)).code;
  }

  /** @returns the code and its token, empty if the server sent none; either is the number's credential */
  async verify(client: Client, sid: string): Promise<{ code: string; token: string }> {
    await client.succeed('VERIFICATION_REQUEST_CODE', phoneOf(sid));
    const code = await this.options.codeOf(sid);
    const { token } = await client.succeed('VERIFICATION_SUBMIT_CODE', { verification_code: code });
    return { code, token: typeof token === 'string' ? token : '' };
  }

  unknownSid(): string {
    return randomSid(this.options.countryCode);
  }

  /**
   * A new group of these users and a number that never signed up, so that it is none that they have already. All these
   * clients have been sent it.
   */
  async group(creator: Client, ...others: Client[]): Promise<{ group_id: number; member_sids: string[] }> {
    const member_sids = [...[creator, ...others].map(({ sid }) => sid), this.unknownSid()];
    if (member_sids.length === 2) member_sids.push(this.unknownSid());
    const group_id = await this.create(creator, member_sids, 'conformance');
    for (const client of [creator, ...others]) await client.state(group_id, member_sids);
    return { group_id, member_sids };
  }

  /** Two users, each signed in on a connection, and a new group of both. @param bobsOptions of bob's connection */
  async pair(bobsOptions?: Acknowledging) {
    const [ada, bob] = [await this.signedIn(), await this.signedIn(bobsOptions)];
    return { ada, bob, ...(await this.group(ada, bob)) };
  }

  async create(creator: Client, member_sids: readonly string[], group_name = ''): Promise<number> {
    const { group_id } = await creator.succeed('GROUP_CREATE', { group_name, member_sids });
    return group_id as number;
  }

  /** @returns the message_id */
  async send(sender: Client, group_id: number, content: string, id?: string): Promise<number> {
    const { message_id } = await sender.succeed('MESSAGING_SEND', { group_id, content }, id);
    return message_id as number;
  }

  /**
   * Signs a user in again and again until something is not sent to them. An acknowledged delivery may come once or twice
   * more, not at every sign-in.
   */
  async untilNotSent(user: User, isIt: (frame: Client['frames'][number]) => boolean, what: string) {
    for (let tries = 0; tries < 5; tries += 1) {
      const again = await this.signedInAs(user);
      const sent = await again.never(isIt, what).then(
        () => false,
        () => true,
      );
      await again.close();
      if (!sent) return;
    }
    throw new Failure(`${what}, but it was sent at five sign-ins in a row`);
  }

  /** Lets the time pass in which nothing must come where nothing may come. */
  async quiet(): Promise<void> {
    await pause(this.options.quietMs);
  }

  /** Leaves all groups, so that the users of later checks are not sent them, and closes all connections. */
  async end(): Promise<void> {
    const clients = [...this.#clients.filter(({ isSignedIn }) => isSignedIn), ...this.#mobiles];
    await Promise.allSettled(clients.map((client) => leaveGroups(client)));
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.#mobiles.map((mobile) => mobile.stop()));
  }

  async #otherUser(): Promise<User> {
    const user = this.options.users.find((known) => !this.#present.includes(known)) ?? (await this.newUser());
    if (!this.#present.includes(user)) this.#present.push(user);
    return user;
  }

  /** The trace of the next connection, by a letter of its own. */
  #record() {
    const name = String.fromCharCode(97 + ((this.#clients.length + this.#mobiles.length) % 26));
    return (...exchanged: [Exchanged['direction'], string]) => this.trace.add(name, ...exchanged);
  }
}

async function leaveGroups(client: Client | MobileClient): Promise<void> {
  const deliveries = client.frames.filter(({ type }) => type === 'GROUP_DELIVER_REQUEST');
  const groupIds = new Set(deliveries.map(({ payload }) => payload.group_id));
  // Another connection of the same user may have left already: a failure is no error.
  await Promise.all([...groupIds].map((group_id) => client.request('GROUP_LEAVE', { group_id })));
}

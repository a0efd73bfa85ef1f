import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { Failure } from './failure.ts';
import { MobileClient } from './mobile-client.ts';
import { Peer } from './peer.ts';
import { numberOf, type People, type Person, randomSid } from './people.ts';
import { Trace } from './trace.ts';

export type StageOptions = {
  readonly url: string;
  /** Brings the code that the server sent to a number. Rejects with RunError when it cannot. */
  readonly codeOf: (sid: string) => Promise<string>;
  readonly people: People;
  readonly countryCode: string;
  readonly timeoutMs: number;
  readonly quietMs: number;
  readonly badFramesMax: number;
};

type Acknowledging = { readonly acknowledges?: boolean };

/** What one check acts on: connections and people of its own, closed at its end. */
export class Stage {
  readonly options: StageOptions;
  readonly trace = new Trace();
  /** What the server sent that no server may ever send. */
  readonly violations: string[] = [];
  readonly #peers: Peer[] = [];
  readonly #mobiles: MobileClient[] = [];
  readonly #present: Person[] = [];

  constructor(options: StageOptions) {
    this.options = options;
  }

  /** Opens a connection on which nobody is signed in. */
  async connect({ acknowledges = true }: Acknowledging = {}): Promise<Peer> {
    const { url, timeoutMs, quietMs } = this.options;
    const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: timeoutMs });
    const peer = new Peer(socket, {
      name: this.#nextName(),
      acknowledges,
      timeoutMs,
      quietMs,
      trace: this.trace,
      onViolation: (what) => this.violations.push(what),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', (error) => reject(new Failure(`cannot connect to ${url}: ${error.message}`)));
    });
    this.#peers.push(peer);
    return peer;
  }

  /** Somebody who signed up, whom nobody else in this check is, signed in on a connection. */
  async enter(options: Acknowledging = {}): Promise<Peer> {
    return this.enterAs(await this.#somebody(), options);
  }

  /** Somebody who signed up, whom nobody else in this check is, signed in with the mobile client. */
  async mobile(): Promise<MobileClient> {
    const { url, timeoutMs } = this.options;
    const { sid, code = '' } = await this.#somebody();
    const name = this.#nextName();
    const client = new MobileClient({
      url,
      sid,
      code,
      timeoutMs,
      onExchange: (direction, text) => this.trace.add(name, direction, text),
      onViolation: (what) => this.violations.push(what),
    });
    this.#mobiles.push(client);
    await client.signedIn();
    return client;
  }

  /** The same person on one more connection. */
  async enterAs(person: Person, options: Acknowledging = {}): Promise<Peer> {
    const peer = await this.connect(options);
    await this.signIn(peer, person);
    return peer;
  }

  async signIn(peer: Peer, person: Person): Promise<void> {
    const { sid, code } = person;
    await peer.succeed('AUTHORIZATION_SIGN_IN', { ...numberOf(sid), verification_code: code });
    peer.person = person;
  }

  /** Signs up a number that the server has never heard of; later checks may meet this person again. */
  async newcomer(): Promise<Person> {
    const sid = this.stranger();
    const person = { sid, code: await this.signUp(await this.connect(), sid) };
    this.#present.push(person);
    this.options.people.add(person);
    return person;
  }

  /** @returns the code, which is the number's credential from now on */
  async signUp(peer: Peer, sid: string): Promise<string> {
    await peer.succeed('VERIFICATION_REQUEST_CODE', numberOf(sid));
    const code = await this.options.codeOf(sid);
    await peer.succeed('VERIFICATION_SUBMIT_CODE', { verification_code: code });
    return code;
  }

  /** A sid that never signed up. */
  stranger(): string {
    return randomSid(this.options.countryCode);
  }

  /**
   * A new group of these people and a stranger, so that it is none that they have already; everybody present
   * has been sent it.
   */
  async group(creator: Peer, ...others: Peer[]): Promise<{ group_id: number; member_sids: string[] }> {
    const member_sids = [...[creator, ...others].map(({ sid }) => sid), this.stranger()];
    if (member_sids.length === 2) member_sids.push(this.stranger());
    const group_id = await this.create(creator, member_sids, 'conformance');
    for (const peer of [creator, ...others]) await peer.state(group_id, member_sids);
    return { group_id, member_sids };
  }

  async create(creator: Peer, member_sids: readonly string[], group_name = ''): Promise<number> {
    const { group_id } = await creator.succeed('GROUP_CREATE', { group_name, member_sids });
    return group_id as number;
  }

  /** @returns the message_id */
  async say(sender: Peer, group_id: number, content: string, id?: string): Promise<number> {
    const { message_id } = await sender.succeed('MESSAGING_SEND', { group_id, content }, id);
    return message_id as number;
  }

  /**
   * Signs a person in again and again until they are not sent something any more. What was acknowledged may
   * come once or twice more, never for ever.
   */
  async untilNotSent(person: Person, isIt: (frame: Peer['frames'][number]) => boolean, what: string) {
    for (let tries = 0; tries < 5; tries += 1) {
      const again = await this.enterAs(person);
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

  /** Leaves all groups, so that the people of the run do not gather them, and closes all connections. */
  async end(): Promise<void> {
    const clients = [...this.#peers.filter(({ isSignedIn }) => isSignedIn), ...this.#mobiles];
    await Promise.allSettled(clients.map((client) => leaveGroups(client)));
    await Promise.all(this.#peers.map((peer) => peer.close()));
    await Promise.all(this.#mobiles.map((mobile) => mobile.stop()));
  }

  async #somebody(): Promise<Person> {
    const person = this.options.people.other(this.#present) ?? (await this.newcomer());
    if (!this.#present.includes(person)) this.#present.push(person);
    return person;
  }

  #nextName(): string {
    return String.fromCharCode(97 + ((this.#peers.length + this.#mobiles.length) % 26));
  }
}

async function leaveGroups(client: Peer | MobileClient): Promise<void> {
  const deliveries = client.frames.filter(({ type }) => type === 'GROUP_DELIVER_REQUEST');
  const groupIds = new Set(deliveries.map(({ payload }) => payload.group_id));
  // Another connection of the same person may have been faster; who still is a member is not told.
  await Promise.all([...groupIds].map((group_id) => client.ask('GROUP_LEAVE', { group_id })));
}

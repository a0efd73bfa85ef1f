import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { MobileHabits } from '@hooligram/conformance';
import type { Random } from '../random.ts';
import type { DeliveryRecord, Ledger } from '../verdict/ledger.ts';
import { now } from './clock.ts';
import { Connection, type ServerFrame } from './connection.ts';
import { Outbox } from './outbox.ts';
import { reconnectPauseMs } from './reconnect-pause.ts';

const localCode = '000000';
const normalCapMs = 8_000;

/** What a device does with a message that it is given. */
export type Manner =
  /** Keeps it, then acknowledges it. */
  | 'keep'
  /** Does neither. */
  | 'ignore'
  /** Loses it and its connection. */
  | 'vanish';

export type DeviceOptions = {
  readonly sid: string;
  /** Which of the person's devices: `1.5550100#1`. */
  readonly name: string;
  /** Tried in turn. */
  readonly urls: readonly string[];
  readonly ledger: Ledger;
  readonly random: Random;
  /** Behaves as the mobile client does: sends back all that it is sent, and acknowledges no groups. */
  readonly isMobile?: boolean;
  /** Longest pause between two tries to connect. */
  readonly pauseCapMs?: number;
  readonly onDelivery?: (delivery: DeliveryRecord) => void;
};

const texts = new Map<string, string>();

/** One text in memory for all who are given the same. */
function sameText(text: string): string {
  const known = texts.get(text);
  if (known === undefined) texts.set(text, text);
  return known ?? text;
}

/** A client, one connection after the other, all written into the ledger. */
export class Device {
  readonly sid: string;
  readonly name: string;
  readonly outbox: Outbox;
  manner: Manner = 'keep';
  /** How long each interruption by others lasted, from the close to the next sign-in, with its end. */
  readonly interruptions: { readonly at: number; readonly ms: number }[] = [];
  /** The newest state of each group that it was told. */
  readonly states = new Map<number, readonly string[]>();
  /** How often one and the same state was sent on one connection, at most. */
  stateTimesMax = 0;
  /** How often it was told that a frame of its own was none. */
  frameFailures = 0;
  readonly #habits: MobileHabits | undefined;
  readonly #options: DeviceOptions;
  #connection: Connection | undefined;
  #number = -1;
  /** How often each state came on this connection, by the id of its delivery. */
  readonly #stateTimes = new Map<string, number>();
  #isSignedIn = false;
  #isRegistered = false;
  #isStopped = false;
  /** It ended the connection itself. */
  #isOwnDoing = false;
  #leave: ((code: number) => void) | undefined;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.sid = options.sid;
    this.name = options.name;
    this.#habits = options.isMobile
      ? new MobileHabits((text) => this.#connection?.sendText(text))
      : undefined;
    this.outbox = new Outbox(options.random, this.#habits);
  }

  /** Behaves as the mobile client does. */
  get isMobile(): boolean {
    return this.#habits !== undefined;
  }

  get isSignedIn(): boolean {
    return this.#isSignedIn;
  }

  /** Its connection, for harm to be done to it. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Connects, and again whenever the connection ends. Resolves after `stop`. */
  async run(): Promise<void> {
    const { urls, random, pauseCapMs = normalCapMs } = this.#options;
    let failures = 0;
    let tries = 0;
    let brokeAt: number | undefined;
    while (!this.#isStopped) {
      let code = 1006;
      try {
        const { over } = await this.#signIn(urls[tries % urls.length] as string);
        if (brokeAt !== undefined) this.interruptions.push({ at: now(), ms: now() - brokeAt });
        failures = 0;
        tries = 0;
        this.#isOwnDoing = false;
        code = await over;
      } catch {
        failures += 1;
        tries += 1;
        this.#connection?.cut();
      }
      if (this.#isSignedIn) brokeAt = this.#isOwnDoing ? undefined : now();
      this.#isSignedIn = false;
      this.outbox.detach();
      const pauseMs = reconnectPauseMs(
        { code, failures, capMs: pauseCapMs, isMobile: this.isMobile },
        random,
      );
      if (!this.#isStopped) await pause(pauseMs);
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#connection?.cut();
  }

  /** Ends its connection without a word, as a phone does in a tunnel, and comes back on another. */
  reconnect(): void {
    this.#isOwnDoing = true;
    this.#connection?.cut();
  }

  /** Leaves its connection open and unread, and goes on with a new one. The caller cuts the old one some day. */
  abandon(): Connection | undefined {
    const left = this.#connection;
    this.#isOwnDoing = true;
    left?.abandon();
    this.#leave?.(1006);
    return left;
  }

  /** @returns what resolves with the close code when the connection is over */
  async #signIn(url: string): Promise<{ over: Promise<number> }> {
    const { ledger, sid } = this.#options;
    const habits = this.#habits;
    const connection = await Connection.open(url, {
      onText: (text, frame) => {
        if (connection === this.#connection) habits?.receive(text, frame);
      },
      onFrame: (frame) => {
        if (connection === this.#connection) this.#receive(connection, frame);
      },
    });
    this.#connection = connection;
    const nextId = () => habits?.nextId() ?? randomUUID();
    habits?.act('WEBSOCKET_OPEN', { host: url });
    const [country_code = '', phone_number = ''] = sid.split('.');
    if (!this.#isRegistered) {
      await connection.ask('VERIFICATION_REQUEST_CODE_REQUEST', { country_code, phone_number }, nextId());
      await connection.ask('VERIFICATION_SUBMIT_CODE_REQUEST', { verification_code: localCode }, nextId());
      this.#isRegistered = true;
    }
    this.#number = ledger.connections.push({ sid, device: this.name, signInAt: now() }) - 1;
    this.states.clear();
    this.#stateTimes.clear();
    const credential = { country_code, phone_number, verification_code: localCode };
    await connection.ask('AUTHORIZATION_SIGN_IN_REQUEST', credential, nextId());
    this.#isSignedIn = true;
    this.outbox.attach(connection, this.#number);
    const left = new Promise<number>((resolve) => {
      this.#leave = resolve;
    });
    return { over: Promise.race([connection.closed, left]) };
  }

  #receive(connection: Connection, frame: ServerFrame): void {
    if (this.outbox.receive(frame)) return;
    if (frame.type === 'GROUP_DELIVER_REQUEST') this.#takeState(connection, frame);
    else if (frame.type === 'MESSAGING_DELIVER_REQUEST') this.#take(connection, frame);
    else if (frame.type === 'CONN_FRAME_FAILURE') this.frameFailures += 1;
  }

  #takeState(connection: Connection, { id, payload }: ServerFrame): void {
    const { group_id = 0, member_sids = [] } = payload;
    this.states.set(group_id, member_sids);
    const times = (this.#stateTimes.get(id) ?? 0) + 1;
    this.#stateTimes.set(id, times);
    this.stateTimesMax = Math.max(this.stateTimesMax, times);
    if (this.manner === 'keep' && !this.isMobile) connection.send('GROUP_DELIVER_SUCCESS', id, { group_id });
  }

  /** Written down first, acknowledged afterwards. */
  #take(connection: Connection, { id, payload }: ServerFrame): void {
    const { message_id = 0, group_id = 0, sender_sid = '', content = '' } = payload;
    const delivery = {
      connection: this.#number,
      at: now(),
      messageId: message_id,
      groupId: group_id,
      senderSid: sender_sid,
      content: sameText(content),
      isKept: this.manner === 'keep',
    };
    this.#options.ledger.deliveries.push(delivery);
    this.#options.onDelivery?.(delivery);
    if (this.manner === 'vanish') this.reconnect();
    if (this.manner !== 'keep') return;
    if (this.#habits) this.#habits.acknowledge(message_id);
    else connection.send('MESSAGING_DELIVER_SUCCESS', id, { message_id });
    this.#habits?.act('GO_TO_GROUP_MESSAGE');
  }
}

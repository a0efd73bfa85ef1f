import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { MobileHabits } from '@hooligram/conformance';
import { phoneOf } from '@hooligram/protocol';
import type { ReceivedFrame } from '@hooligram/protocol-client';
import type { DeliveryRecord, History } from '../checker/history.ts';
import type { Random } from '../random.ts';
import { Connection } from './connection.ts';
import { Outbox } from './outbox.ts';
import { reconnectPauseMs } from './reconnect-pause.ts';

const localCode = '000000';
const normalCapMs = 8_000;

/** What a device does with a message that is delivered to it. */
export type AckMode =
  /** Keeps it, then acknowledges it. */
  | 'acknowledge'
  /** Does neither. */
  | 'ignore'
  /** Loses it and its connection. */
  | 'disconnect';

export type DeviceOptions = {
  readonly sid: string;
  /** The user and the number of the device: `1.5550100#1`. */
  readonly name: string;
  /** Another device of the user, which verifies the number: a second verification would end the sessions of the first. */
  readonly verifiedBy?: Device | undefined;
  /** Tried in turn. */
  readonly urls: readonly string[];
  readonly history: History;
  readonly random: Random;
  /** Behaves as the mobile client does: sends back every frame, and acknowledges no groups. */
  readonly isMobile?: boolean;
  /** Longest pause between two tries to connect. */
  readonly pauseCapMs?: number;
  /** How much longer it stays away when it has ended its connection itself. */
  readonly awayMs?: number;
  readonly onDelivery?: (delivery: DeliveryRecord) => void;
};

const texts = new Map<string, string>();

/** One text in memory for all devices that receive the same. */
function sameText(text: string): string {
  const known = texts.get(text);
  if (known === undefined) texts.set(text, text);
  return known ?? text;
}

/** A client: one connection after the other, all recorded in the history. */
export class Device {
  readonly sid: string;
  readonly name: string;
  readonly outbox: Outbox;
  readonly isMobile: boolean;
  ackMode: AckMode = 'acknowledge';
  /** How long each interruption lasted that the device did not cause, from the close to the next sign-in, and its end. */
  readonly interruptions: { readonly at: number; readonly ms: number }[] = [];
  /** The members of each group, by the newest state on this connection. */
  readonly states = new Map<number, readonly string[]>();
  /** How often one and the same state was delivered on one connection, at most. */
  stateTimesMax = 0;
  /** How often the server refused a frame of this device as no frame. */
  frameFailures = 0;
  readonly #habits: MobileHabits | undefined;
  readonly #options: DeviceOptions;
  #connection: Connection | undefined;
  /** Of the connection in the history. */
  #number = -1;
  /** How often each state came on this connection, by the id of its delivery. */
  readonly #stateTimes = new Map<string, number>();
  #isSignedIn = false;
  /** Resolves when the number is verified. */
  readonly #verified: Promise<void>;
  #onVerified: () => void = () => {};
  #isVerified = false;
  #isStopped = false;
  #hasCutItself = false;
  /** While it is away: resolves when it comes back. */
  #away: Promise<void> | undefined;
  #comeBack: () => void = () => {};
  #leave: ((code: number) => void) | undefined;

  constructor(options: DeviceOptions) {
    const { sid, name, history, random, isMobile = false } = options;
    this.#options = options;
    this.sid = sid;
    this.name = name;
    this.isMobile = isMobile;
    this.#habits = isMobile ? new MobileHabits((text) => this.#connection?.sendText(text)) : undefined;
    this.outbox = new Outbox(sid, history, random, this.#habits);
    this.#verified = new Promise((resolve) => {
      this.#onVerified = resolve;
    });
  }

  get isSignedIn(): boolean {
    return this.#isSignedIn;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Connects, and again whenever the connection ends. Resolves after `stop`. */
  async run(): Promise<void> {
    const { urls, random, pauseCapMs: capMs = normalCapMs, awayMs = 0 } = this.#options;
    const { isMobile } = this;
    let failures = 0;
    let brokeAt: number | undefined;
    while (!this.#isStopped) {
      let code = 1006;
      try {
        const { over } = await this.#signIn(urls[failures % urls.length] as string);
        if (brokeAt !== undefined)
          this.interruptions.push({ at: performance.now(), ms: performance.now() - brokeAt });
        failures = 0;
        this.#hasCutItself = false;
        code = await over;
      } catch {
        failures += 1;
        this.#connection?.cut();
      }
      if (this.#isSignedIn) brokeAt = this.#hasCutItself ? undefined : performance.now();
      this.#isSignedIn = false;
      this.outbox.detach();
      const ownMs = this.#hasCutItself && failures === 0 ? awayMs : 0;
      const pauseMs = ownMs + reconnectPauseMs({ code, failures, capMs, isMobile }, random);
      if (!this.#isStopped) await pause(pauseMs);
      if (!this.#away) continue;
      brokeAt = undefined;
      await this.#away;
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#connection?.cut();
    this.comeBack();
  }

  get isAway(): boolean {
    return this.#away !== undefined;
  }

  /** Ends its connection as `reconnect` does, and opens no other before `comeBack`. */
  goAway(): void {
    this.#away ??= new Promise((resolve) => {
      this.#comeBack = resolve;
    });
    this.reconnect();
  }

  comeBack(): void {
    this.#away = undefined;
    this.#comeBack();
  }

  /** Ends its connection without a close frame, as a phone does in a tunnel, and opens another. */
  reconnect(): void {
    this.#hasCutItself = true;
    const record = this.#options.history.connections[this.#number];
    if (record) record.cutAt = performance.now();
    this.#connection?.cut();
  }

  /** Leaves its connection open and unread, and opens another. @returns the old one, for the caller to cut later */
  abandon(): Connection | undefined {
    const left = this.#connection;
    this.#hasCutItself = true;
    left?.abandon();
    this.#leave?.(1006);
    return left;
  }

  /** @returns a promise of the close code, which resolves when the connection is over */
  async #signIn(url: string): Promise<{ over: Promise<number> }> {
    const { history, sid, verifiedBy } = this.#options;
    const habits = this.#habits;
    const connection = await Connection.open(url, (frame, text) => {
      if (connection !== this.#connection) return;
      habits?.receive(text, frame);
      this.#receive(connection, frame);
    });
    this.#connection = connection;
    const nextId = () => habits?.nextId() ?? randomUUID();
    habits?.act('WEBSOCKET_OPEN', { host: url });
    if (verifiedBy) await verifiedBy.#verified;
    else if (!this.#isVerified) {
      await connection.request('VERIFICATION_REQUEST_CODE', phoneOf(sid), nextId());
      await connection.request('VERIFICATION_SUBMIT_CODE', { verification_code: localCode }, nextId());
      this.#isVerified = true;
      this.#onVerified();
    }
    this.#number = history.connections.push({ sid, device: this.name, signInAt: performance.now() }) - 1;
    this.states.clear();
    this.#stateTimes.clear();
    const credential = { ...phoneOf(sid), verification_code: localCode };
    await connection.request('AUTHORIZATION_SIGN_IN', credential, nextId());
    this.#isSignedIn = true;
    this.outbox.attach(connection, this.#number);
    const left = new Promise<number>((resolve) => {
      this.#leave = resolve;
    });
    return { over: Promise.race([connection.closed, left]) };
  }

  #receive(connection: Connection, frame: ReceivedFrame): void {
    if (this.outbox.receive(frame)) return;
    if (frame.type === 'GROUP_DELIVER_REQUEST') this.#receiveState(connection, frame);
    else if (frame.type === 'MESSAGING_DELIVER_REQUEST') this.#receiveMessage(connection, frame);
    else if (frame.type === 'CONN_FRAME_FAILURE') this.frameFailures += 1;
  }

  #receiveState(connection: Connection, { id, payload }: ReceivedFrame): void {
    const { group_id = 0, member_sids = [] } = payload;
    this.states.set(group_id, member_sids);
    const times = (this.#stateTimes.get(id) ?? 0) + 1;
    this.#stateTimes.set(id, times);
    this.stateTimesMax = Math.max(this.stateTimesMax, times);
    if (this.ackMode === 'acknowledge' && !this.isMobile)
      connection.send('GROUP_DELIVER_SUCCESS', id, { group_id });
  }

  /** Records the message first, and acknowledges it afterwards. */
  #receiveMessage(connection: Connection, { id, payload }: ReceivedFrame): void {
    const { message_id = 0, group_id = 0, sender_sid = '', content = '' } = payload;
    const delivery = {
      connection: this.#number,
      at: performance.now(),
      messageId: message_id,
      groupId: group_id,
      senderSid: sender_sid,
      content: sameText(content),
      isKept: this.ackMode === 'acknowledge',
    };
    this.#options.history.deliveries.push(delivery);
    this.#options.onDelivery?.(delivery);
    if (this.ackMode === 'disconnect') this.reconnect();
    if (this.ackMode !== 'acknowledge') return;
    if (this.#habits) this.#habits.acknowledge(message_id);
    else connection.send('MESSAGING_DELIVER_SUCCESS', id, { message_id });
    this.#habits?.act('GO_TO_GROUP_MESSAGE');
  }
}

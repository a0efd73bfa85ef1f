import { setTimeout as pause } from 'node:timers/promises';
import type { TransactionName } from '@hooligram/protocol';
import type { RawData, WebSocket } from 'ws';
import { expectEqual, expectThat, Failure, shown } from './failure.ts';
import { Inbox } from './inbox.ts';
import type { Person } from './people.ts';
import { type Received, readFrame } from './received.ts';
import type { Trace } from './trace.ts';

export type PeerOptions = {
  /** How it is called in the trace. */
  readonly name: string;
  /** Whether deliveries are acknowledged as they come, by an id of the client's own. */
  readonly acknowledges: boolean;
  readonly timeoutMs: number;
  readonly quietMs: number;
  readonly trace: Trace;
  /** Told what no server may ever send. */
  readonly onViolation: (what: string) => void;
};

export type Match = (frame: Received) => boolean;

/** One connection of a check. */
export class Peer {
  /** Resolves when the connection is closed, by whichever side. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #socket: WebSocket;
  readonly #options: PeerOptions;
  readonly #inbox = new Inbox();
  #person: Person | undefined;
  #lastId = 0;

  /** @param socket that has just opened */
  constructor(socket: WebSocket, options: PeerOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('message', (data) => this.#receive(data));
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        const how = `${code} ${reason}`.trim();
        options.trace.add(options.name, 'closed', how);
        this.#inbox.close(how);
        resolve({ code, reason: String(reason) });
      });
    });
  }

  /** Who is signed in here, as the check knows. */
  get person(): Person {
    if (!this.#person) throw new Error('nobody is signed in here');
    return this.#person;
  }

  set person(person: Person) {
    this.#person = person;
  }

  /** Whether the connection is open and somebody signed in on it. */
  get isSignedIn(): boolean {
    return this.#person !== undefined && this.#socket.readyState === this.#socket.OPEN;
  }

  get sid(): string {
    return this.person.sid;
  }

  /** Everything received, in order. */
  get frames(): readonly Received[] {
    return this.#inbox.frames;
  }

  /** Bytes go as a binary message, a string as a text. */
  sendRaw(data: string | Uint8Array): void {
    const text = typeof data === 'string' ? data : `(binary) ${Buffer.from(data)}`;
    this.#options.trace.add(this.#options.name, 'sent', text);
    this.#socket.send(data);
  }

  /** Sends a frame and waits for nothing. Without an id it has the next number, as simple clients count. */
  send(type: string, payload: unknown, id = this.#nextId()): string {
    this.sendRaw(JSON.stringify({ id, type, payload }));
    return id;
  }

  /** Sends a request and waits for its answer, whichever it is. */
  async ask(name: string, payload: unknown, id = this.#nextId()): Promise<Received> {
    const seen = this.frames.length;
    this.send(`${name}_REQUEST`, payload, id);
    return this.answer(name, id, seen);
  }

  /** The answer to a request that was sent already. @param after how many frames were there before it */
  answer(name: string, id: string, after = 0): Promise<Received> {
    const types = [`${name}_SUCCESS`, `${name}_FAILURE`, 'CONN_FRAME_FAILURE'];
    return this.until(
      (frames) => frames.slice(after).find((frame) => frame.id === id && types.includes(frame.type)),
      `the answer to ${name}_REQUEST ${shown(id)}`,
    );
  }

  /** Sends a request that must succeed. @returns the payload of its SUCCESS */
  async succeed(name: TransactionName, payload: unknown, id?: string): Promise<Received['payload']> {
    const answer = await this.ask(name, payload, id);
    expectThat(answer.type === `${name}_SUCCESS`, `${name}_REQUEST must succeed, got ${shown(answer.text)}`);
    return answer.payload;
  }

  /** Sends a request that must fail. @param errors exactly these; without it, any, but at least one */
  async refuse(
    name: TransactionName,
    payload: unknown,
    errors?: readonly string[],
    id?: string,
  ): Promise<void> {
    const answer = await this.ask(name, payload, id);
    expectThat(
      answer.type === `${name}_FAILURE`,
      `${name}_REQUEST with ${shown(payload)} must fail, got ${shown(answer.text)}`,
    );
    if (name === 'CONN_KEEP_ALIVE') return;
    const told = answer.payload.errors ?? [];
    if (errors) expectEqual(told, errors, `errors of ${name}_REQUEST with ${shown(payload)}`);
    else expectThat(told.length > 0, `${name}_FAILURE must say why`);
  }

  /** Waits until a question to all frames received has an answer. @param what it waits for, in words */
  until<T>(
    question: (frames: readonly Received[]) => T | undefined | false,
    what: string,
    timeoutMs = this.#options.timeoutMs,
  ): Promise<T> {
    return this.#inbox.until(question, timeoutMs, what);
  }

  next(match: Match, what: string, after = 0): Promise<Received> {
    return this.until((frames) => frames.slice(after).find(match), what);
  }

  /** Fails if a frame matches that is here or comes within a while: nothing tells that a thing will never come. */
  async never(match: Match, what: string, after = 0): Promise<void> {
    await pause(this.#options.quietMs);
    const wrong = this.frames.slice(after).find(match);
    if (wrong) throw new Failure(`${what}, but it was sent ${shown(wrong.text)}`);
  }

  /** The delivery of a message, here or yet to come. */
  message(message_id: number | undefined, after = 0): Promise<Received> {
    return this.next(
      ({ type, payload }) => type === 'MESSAGING_DELIVER_REQUEST' && payload.message_id === message_id,
      `the delivery of message ${message_id}`,
      after,
    );
  }

  /** The delivery of a group's state with these members, if they are given. */
  state(group_id: number | undefined, member_sids?: readonly string[], after = 0): Promise<Received> {
    const members = member_sids && [...member_sids].sort();
    const same = (sids: readonly string[] = []) =>
      !members || (sids.length === members.length && [...sids].sort().every((sid, i) => sid === members[i]));
    return this.next(
      ({ type, payload }) =>
        type === 'GROUP_DELIVER_REQUEST' && payload.group_id === group_id && same(payload.member_sids),
      `the delivery of group ${group_id}${members ? ` with the members ${members.join(', ')}` : ''}`,
      after,
    );
  }

  /** The messages of a group that came so far, each once, in the order in which they first came. */
  messagesOf(group_id: number | undefined): Received['payload'][] {
    const seen = new Map<number | undefined, Received['payload']>();
    for (const { type, payload } of this.frames) {
      if (type !== 'MESSAGING_DELIVER_REQUEST' || payload.group_id !== group_id) continue;
      if (!seen.has(payload.message_id)) seen.set(payload.message_id, payload);
    }
    return [...seen.values()];
  }

  acknowledge({ type, payload }: Received, id?: string): void {
    const { message_id, group_id } = payload;
    if (type === 'MESSAGING_DELIVER_REQUEST') this.send('MESSAGING_DELIVER_SUCCESS', { message_id }, id);
    if (type === 'GROUP_DELIVER_REQUEST') this.send('GROUP_DELIVER_SUCCESS', { group_id }, id);
  }

  /** Fails unless the connection lives and is served. */
  async isServed(): Promise<void> {
    await this.succeed('CONN_KEEP_ALIVE', {});
  }

  async close(): Promise<void> {
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), this.#options.timeoutMs);
    await this.closed;
    clearTimeout(timer);
  }

  /** Cuts the connection without a word. */
  cut(): void {
    this.#socket.terminate();
  }

  #receive(data: RawData): void {
    const text = String(data);
    this.#options.trace.add(this.#options.name, 'received', text);
    const frame = readFrame(text);
    if (typeof frame === 'string') {
      this.#options.onViolation(`${frame}: ${shown(text)}`);
      return;
    }
    if (this.#options.acknowledges) this.acknowledge(frame);
    this.#inbox.push(frame);
  }

  #nextId(): string {
    this.#lastId += 1;
    return String(this.#lastId);
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import { phoneOf } from '@hooligram/protocol';
import { ProtocolClient, type ReceivedFrame } from '@hooligram/protocol-client';
import { HonestMessages, lateMs, type Window } from './honest-messages.ts';

const timeoutMs = 60_000;
const groupSize = 5;
const sendEveryMs = 2_000;
const pollMs = 50;
/** WebSocket.OPEN; Node 20 has no such global. */
const openState = 1;
/** The code of every number on a test system. */
export const rightCode = '000000';

type Owner = { readonly sid: string; readonly token: string; readonly localAddress: string };
/** Somebody whose client knows no tokens: the code is the credential. */
export type CodeOwner = Pick<Owner, 'sid' | 'localAddress'>;

/** Users who chat in groups of five, each from an address of their own, and measure from the sending to each delivery. */
export class HonestUsers {
  readonly owners: Owner[] = [];
  readonly #urls: readonly string[];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #clients: ProtocolClient[] = [];
  /** The numbers of those whose group has begun. */
  readonly #chatting = new Set<number>();
  readonly #messages = new HonestMessages();
  #sent = 0;
  #cut = 0;
  #isOver = false;

  private constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  static async connect(urls: readonly string[], count: number): Promise<HonestUsers> {
    const users = new HonestUsers(urls);
    for (let n = 0; n < count; n += groupSize) {
      await Promise.all(Array.from({ length: groupSize }, (_, at) => users.#signUp(n + at)));
      await users.#startGroup(n);
    }
    return users;
  }

  /** How many connections were closed so far. None is opened again. */
  get cut(): number {
    return this.#cut;
  }

  /** Waits until everything that was sent from one moment to another is there, or late. Forgets what was sent before. */
  async whenArrived(fromMs: number, toMs: number): Promise<void> {
    this.#messages.forget(fromMs);
    while (!this.#messages.areWhole(fromMs, toMs) && performance.now() < toMs + lateMs) await pause(pollMs);
  }

  /** @returns what became of what was sent from one moment to another */
  window(fromMs: number, toMs: number): Window {
    return this.#messages.window(fromMs, toMs, performance.now());
  }

  /** Whether a user signs in on one more connection, from where they always do, with the token of their telephone. */
  canSignIn({ sid, token, localAddress }: Owner): Promise<boolean> {
    return this.#signsIn(sid, token, localAddress);
  }

  /** Somebody who has verified a number, and signed in with the code, from one network. @param n of no other one */
  async signUpWithCode(n: number): Promise<CodeOwner> {
    const owner = { sid: sidOf(1_000 + n), localAddress: `127.2.${n}.1` };
    const client = new ProtocolClient(this.#urls[0] ?? '', { timeoutMs, localAddress: owner.localAddress });
    await client.opened;
    await client.signIn(owner.sid, rightCode);
    await client.close();
    return owner;
  }

  /** Whether they sign in with the code once more, from the network that they come from, and from one that is new. */
  async canSignInWithCode({ sid, localAddress }: CodeOwner): Promise<{ known: boolean; anew: boolean }> {
    const known = await this.#signsIn(sid, rightCode, localAddress);
    return { known, anew: await this.#signsIn(sid, rightCode, localAddress.replace('127.2.', '127.3.')) };
  }

  close(): void {
    this.#isOver = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const client of this.#clients) client.terminate();
  }

  async #signsIn(sid: string, verification_code: string, localAddress: string): Promise<boolean> {
    const client = new ProtocolClient(this.#urls[0] ?? '', { timeoutMs, localAddress });
    try {
      await client.opened;
      const { type } = await client.request('AUTHORIZATION_SIGN_IN', { ...phoneOf(sid), verification_code });
      return type === 'AUTHORIZATION_SIGN_IN_SUCCESS';
    } catch {
      return false;
    } finally {
      client.terminate();
    }
  }

  async #signUp(n: number): Promise<void> {
    const sid = sidOf(n);
    const localAddress = `127.1.${n}.1`;
    const readFrame = (text: string) => {
      const frame = JSON.parse(text) as ReceivedFrame;
      // Kept are the answers that the sign-up waits for.
      if (!this.#chatting.has(n)) return frame;
      this.#note(n, client, frame);
      return undefined;
    };
    const url = this.#urls[n % this.#urls.length] ?? '';
    const client = new ProtocolClient(url, { timeoutMs, localAddress, readFrame });
    await client.opened;
    await client.requestOk('VERIFICATION_REQUEST_CODE', phoneOf(sid));
    const { payload } = await client.requestOk('VERIFICATION_SUBMIT_CODE', { verification_code: rightCode });
    const token = payload.token as string;
    await client.authorize(sid, token);
    this.owners[n] = { sid, token, localAddress };
    this.#clients[n] = client;
    void client.closed.then(() => {
      if (!this.#isOver) this.#cut += 1;
    });
  }

  async #startGroup(first: number): Promise<void> {
    const all = Array.from({ length: groupSize }, (_, at) => first + at);
    const member_sids = this.owners.slice(first, first + groupSize).map(({ sid }) => sid);
    const { payload } = await (this.#clients[first] as ProtocolClient).requestOk('GROUP_CREATE', {
      group_name: 'honest',
      member_sids,
    });
    for (const n of all) this.#chatting.add(n);
    for (const n of all) {
      const send = () => this.#send(n, all, payload.group_id as number);
      // Not all at the same moment.
      setTimeout(() => this.#timers.push(setInterval(send, sendEveryMs)), Math.random() * sendEveryMs);
    }
  }

  #send(n: number, members: readonly number[], group_id: number): void {
    const isOpen = (member: number) => this.#clients[member]?.socket.readyState === openState;
    if (!isOpen(n)) return;
    this.#sent += 1;
    // The id of the request is the content, too, so that the answer names the message.
    const content = `honest ${this.#sent}`;
    this.#messages.sent(content, performance.now(), members.filter(isOpen));
    this.#clients[n]?.send('MESSAGING_SEND_REQUEST', { group_id, content }, content);
  }

  #note(n: number, client: ProtocolClient, frame: ReceivedFrame): void {
    const { id, type, payload } = frame;
    const now = performance.now();
    if (type === 'MESSAGING_DELIVER_REQUEST') this.#messages.delivered(payload.content ?? '', n, now);
    else if (!type.endsWith('_DELIVER_REQUEST')) this.#messages.answered(id, type.endsWith('_FAILURE'), now);
    if (type.endsWith('_DELIVER_REQUEST')) client.acknowledge(frame);
  }
}

const sidOf = (n: number) => `888.5${String(n).padStart(9, '0')}`;

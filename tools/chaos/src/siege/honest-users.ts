import { phoneOf } from '@hooligram/protocol';
import { ProtocolClient, type ReceivedFrame } from '@hooligram/protocol-client';

const timeoutMs = 60_000;
const groupSize = 5;
const sendEveryMs = 2_000;

export type Window = {
  /** Sorted. */
  readonly latenciesMs: readonly number[];
  readonly deliveries: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Connections that were closed, and requests that got FAILURE. */
  readonly cut: number;
  readonly refused: number;
};

/** Two windows as one. */
export function together(one: Window, other: Window): Window {
  const latenciesMs = [...one.latenciesMs, ...other.latenciesMs];
  return windowOf(latenciesMs, one.cut + other.cut, one.refused + other.refused);
}

function windowOf(latenciesMs: readonly number[], cut: number, refused: number): Window {
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  const { length: deliveries } = sorted;
  return { latenciesMs: sorted, deliveries, p50Ms: at(0.5), p99Ms: at(0.99), cut, refused };
}

type Owner = { readonly sid: string; readonly token: string; readonly localAddress: string };

/** Users who chat in groups of five, each from an address of their own, and measure from the sending to each delivery. */
export class HonestUsers {
  readonly owners: Owner[] = [];
  readonly #urls: readonly string[];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #clients: ProtocolClient[] = [];
  /** The numbers of those whose group has begun. */
  readonly #chatting = new Set<number>();
  #latenciesMs: number[] = [];
  #cut = 0;
  #refused = 0;
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

  /** @returns what was measured since the last call */
  take(): Window {
    const window = windowOf(this.#latenciesMs, this.#cut, this.#refused);
    this.#latenciesMs = [];
    this.#cut = 0;
    this.#refused = 0;
    return window;
  }

  /** Whether a user signs in on one more connection, from where they always do, with the token of their telephone. */
  async canSignIn({ sid, token, localAddress }: Owner): Promise<boolean> {
    const client = new ProtocolClient(this.#urls[0] ?? '', { timeoutMs, localAddress });
    try {
      await client.opened;
      const signIn = { ...phoneOf(sid), verification_code: token };
      return (await client.request('AUTHORIZATION_SIGN_IN', signIn)).type === 'AUTHORIZATION_SIGN_IN_SUCCESS';
    } catch {
      return false;
    } finally {
      client.terminate();
    }
  }

  close(): void {
    this.#isOver = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const client of this.#clients) client.terminate();
  }

  async #signUp(n: number): Promise<void> {
    const sid = `888.5${String(n).padStart(9, '0')}`;
    const localAddress = `127.1.${n}.1`;
    const readFrame = (text: string) => {
      const frame = JSON.parse(text) as ReceivedFrame;
      // Kept are the answers that the sign-up waits for.
      if (!this.#chatting.has(n)) return frame;
      this.#note(client, frame);
      return undefined;
    };
    const url = this.#urls[n % this.#urls.length] ?? '';
    const client = new ProtocolClient(url, { timeoutMs, localAddress, readFrame });
    await client.opened;
    await client.requestOk('VERIFICATION_REQUEST_CODE', phoneOf(sid));
    const { payload } = await client.requestOk('VERIFICATION_SUBMIT_CODE', { verification_code: '000000' });
    const token = payload.token as string;
    await client.authorize(sid, token);
    this.owners[n] = { sid, token, localAddress };
    this.#clients[n] = client;
    void client.closed.then(() => {
      if (!this.#isOver) this.#cut += 1;
    });
  }

  async #startGroup(first: number): Promise<void> {
    const members = this.#clients.slice(first, first + groupSize);
    const member_sids = this.owners.slice(first, first + groupSize).map(({ sid }) => sid);
    const { payload } = await (members[0] as ProtocolClient).requestOk('GROUP_CREATE', {
      group_name: 'honest',
      member_sids,
    });
    for (let n = first; n < first + groupSize; n += 1) this.#chatting.add(n);
    for (const client of members) {
      const send = () => {
        if (client.socket.readyState !== client.socket.OPEN) return;
        const content = String(performance.now());
        client.send('MESSAGING_SEND_REQUEST', { group_id: payload.group_id, content });
      };
      // Not all at the same moment.
      setTimeout(() => this.#timers.push(setInterval(send, sendEveryMs)), Math.random() * sendEveryMs);
    }
  }

  #note(client: ProtocolClient, frame: ReceivedFrame): void {
    const sentAt = Number(frame.payload.content);
    if (frame.type === 'MESSAGING_DELIVER_REQUEST') {
      // What an attacker sends to them is no number.
      if (sentAt > 0) this.#latenciesMs.push(performance.now() - sentAt);
    } else if (frame.type.endsWith('_FAILURE')) this.#refused += 1;
    if (frame.type.endsWith('_DELIVER_REQUEST')) client.acknowledge(frame);
  }
}

import { randomUUID } from 'node:crypto';
import {
  connectRedis,
  createNames,
  createRequestWriter,
  type Names,
  PieceCollector,
  type RequestWriter,
  Subscriptions,
  startRedisClock,
} from '@hooligram/bus';
import {
  type AnswerOf,
  type CoreAnswer,
  type CoreRequest,
  decodePublication,
  type ParamsOf,
  type Publication,
  type RedeliveryRequest,
  type RequestType,
} from '@hooligram/contract';
import { patienceMs, silentLog, within } from '@hooligram/testkit';
import type { Redis } from 'ioredis';

const quiet = { failed() {}, works() {} };

export type Received = { readonly channel: string; readonly at: number; readonly publication: Publication };

/** Speaks the contract over the bus as a gateway does. It holds no sockets: a test decides what it does. */
export class FakeGateway {
  readonly names: Names;
  readonly node: string;
  readonly redis: Redis;
  /** Every answer so far to requests of `node`. */
  readonly answers: CoreAnswer[] = [];
  readonly received: Received[] = [];
  /** The size of each publication of answers so far. */
  readonly publicationBytes: number[] = [];
  /** What it does on a redelivery request. Default: it acknowledges. */
  onRedeliveryRequest: (request: RedeliveryRequest) => unknown = (request) => this.acknowledge(request);
  readonly #subscriptions: Subscriptions;
  readonly #writer: RequestWriter<CoreRequest>;
  readonly #answers = new Map<number, (answer: CoreAnswer) => void>();
  readonly #waiters: (() => void)[] = [];
  readonly #close: () => void;
  readonly #mayBreak: boolean;
  readonly #pieces = new PieceCollector();
  #lastRef = 0;
  #isClosed = false;

  private constructor(
    names: Names,
    redis: Redis,
    subscriber: Redis,
    writer: RequestWriter<CoreRequest>,
    node: string,
    close: () => void,
    mayBreak: boolean,
  ) {
    this.names = names;
    this.node = node;
    this.redis = redis;
    this.#writer = writer;
    this.#close = close;
    this.#mayBreak = mayBreak;
    this.#subscriptions = new Subscriptions({
      redis: subscriber,
      part: quiet,
      onResubscribed() {
        if (!mayBreak)
          throw new Error('the subscriber of the test broke: what was published meanwhile is lost');
      },
      onPublication: (channel, bytes) => {
        if (channel === names.gateway(node)) this.#receiveAnswers(bytes);
        else this.#receive(channel, decodePublication(bytes));
      },
    });
  }

  /** @param mayBreak the test breaks its Redis: what is published meanwhile does not matter to it */
  static async connect(
    { redisUrl, prefix }: { redisUrl: string; prefix: string },
    { mayBreak = false } = {},
  ): Promise<FakeGateway> {
    const names = createNames(prefix);
    const node = randomUUID();
    const connect = (role: 'command' | 'subscriber') =>
      connectRedis(redisUrl, { role, name: `fake-gateway-${role}`, log: silentLog });
    const [redis, subscriber] = await Promise.all([connect('command'), connect('subscriber')]);
    const clock = await startRedisClock(redis);
    let isClosed = false;
    const writer = createRequestWriter<CoreRequest>({
      redis,
      clock,
      names,
      node,
      deadlineMs: patienceMs,
      requestsMax: 500,
      entriesMax: 100_000,
      bytesMax: Number.MAX_SAFE_INTEGER,
      onFailed(_, failure) {
        // Requests of a test that has ended may still be written.
        if (isClosed) return;
        throw new Error(`not written: ${failure}`);
      },
    });
    const close = () => {
      isClosed = true;
      clock.close();
      redis.disconnect();
    };
    const gateway = new FakeGateway(names, redis, subscriber, writer, node, close, mayBreak);
    await gateway.subscribe(names.gateway(node));
    return gateway;
  }

  subscribe(...channels: string[]): Promise<unknown> {
    return Promise.all(channels.map((channel) => this.#subscriptions.acquire(channel)));
  }

  unsubscribe(channel: string): void {
    this.#subscriptions.release(channel);
  }

  /** With an empty answer once it is closed. @throws the errors of a refusal */
  async request<K extends RequestType>(
    type: K,
    params: ParamsOf<K>,
    request_id = randomUUID(),
  ): Promise<AnswerOf<K>> {
    if (this.#isClosed) return {} as AnswerOf<K>;
    this.#lastRef += 1;
    const ref = this.#lastRef;
    const given = new Promise<CoreAnswer>((resolve) => this.#answers.set(ref, resolve));
    this.#writer.add({ ref, request_id, type, params } as CoreRequest);
    const answer = await within(`for the answer to ${type}`, given, () => this.answers.slice(-20));
    if (!answer.ok) throw new Error(`${type}: ${answer.errors.join()}`);
    return answer.answer as AnswerOf<K>;
  }

  async acknowledge({ user_id, token, reply_to }: RedeliveryRequest): Promise<void> {
    if (this.#isClosed) return;
    const sent = this.redis.publish(reply_to, JSON.stringify({ user_id, token }));
    // A reply that is on its way when the test breaks its Redis is lost, as that of a gateway.
    await (this.#mayBreak ? sent.catch(() => 0) : sent);
  }

  of<P extends Publication['type']>(
    type: P,
    from = 0,
  ): (Extract<Publication, { type: P }> & { at: number })[] {
    return this.received
      .slice(from)
      .filter(({ publication }) => publication.type === type)
      .map(({ publication, at }) => ({ ...(publication as Extract<Publication, { type: P }>), at }));
  }

  /** Waits until a question about what was received has an answer. */
  async until<T>(question: () => T | undefined | false, what = String(question)): Promise<T> {
    const found = async () => {
      for (;;) {
        const answer = question();
        if (answer !== undefined && answer !== false) return answer;
        await new Promise<void>((resolve) => this.#waiters.push(resolve));
      }
    };
    return within(`until ${what}`, found(), () => this.received.slice(-20));
  }

  /** Resolves the requests that still wait with an empty answer. */
  close(): void {
    this.#isClosed = true;
    for (const give of this.#answers.values()) give({ ref: 0, ok: true, answer: {} });
    this.#subscriptions.close();
    this.#close();
  }

  #receiveAnswers(bytes: Buffer): void {
    this.publicationBytes.push(bytes.length);
    const answers = this.#pieces.receive(bytes);
    if (answers) this.#answered(JSON.parse(answers.toString()));
  }

  #answered(answers: readonly CoreAnswer[]): void {
    this.answers.push(...answers);
    for (const wake of this.#waiters.splice(0)) wake();
    for (const answer of answers) {
      this.#answers.get(answer.ref)?.(answer);
      this.#answers.delete(answer.ref);
    }
  }

  #receive(channel: string, publication: Publication | undefined): void {
    // What was on its way when the connection was ended still comes. Nobody would answer what a test asks for it.
    if (!publication || this.#isClosed) return;
    this.received.push({ channel, at: Date.now(), publication });
    if (publication.type === 'redelivery-request') void this.onRedeliveryRequest(publication.request);
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

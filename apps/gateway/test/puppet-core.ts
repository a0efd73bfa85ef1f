import { randomUUID } from 'node:crypto';
import {
  type BusLog,
  connectRedis,
  createNames,
  type Entry,
  type Names,
  Publisher,
  Subscriptions,
  startRequestReader,
} from '@hooligram/bus';
import {
  type AnswerOf,
  type CoreRequest,
  type DeliveryCheck,
  encodeDeliveryCheck,
  encodeEviction,
  encodeMessages,
  encodeRedeliveryRequest,
  encodeState,
  type GroupState,
  type ParamsOf,
  type RedeliveryAcknowledged,
  type RequestType,
} from '@hooligram/contract';
import { within } from '@hooligram/testkit';

/** A request of a gateway that waits for a test's answer. What is returned resolves when Redis has the answer. */
export type AskedRequest<K extends RequestType = RequestType> = {
  /** The name of the gateway process that asked. */
  readonly node: string;
  readonly ref: number;
  readonly request_id: string;
  readonly type: K;
  readonly params: ParamsOf<K>;
  succeed(answer: AnswerOf<K>): Promise<void>;
  refuse(...errors: string[]): Promise<void>;
};

type Message = {
  group_id: number;
  version: number;
  seq: number;
  message_id: number;
  frame: string;
};
type Matcher = {
  readonly matches: (asked: AskedRequest) => boolean;
  take: (asked: AskedRequest) => void;
};

/** A whole answer, to be given at once and for ever by `always`. */
type Always = { [K in RequestType]?: (params: ParamsOf<K>) => AnswerOf<K> };

const silent: BusLog = { info() {}, warn() {}, error() {} };
const quiet = { failed() {}, works() {} };

/**
 * Stands in for the core: reads the real stream of requests and publishes through the real publisher, but decides
 * nothing. The test that drives it says when each request is answered, with what, and what is published in
 * which order. One step awaited after the other, they reach Redis in exactly that order.
 */
export class PuppetCore {
  /** Every request so far, in the order of the stream, answered or not. */
  readonly asked: AskedRequest[] = [];
  readonly names: Names;
  /** Of the database: what is answered and published from now on is of this one. */
  epoch = 0;
  /** Every confirmation of a nudge so far. */
  readonly confirmations: RedeliveryAcknowledged[] = [];
  readonly publish: {
    message(message: Message): Promise<void>;
    /** On the group's channel, where every gateway with a member hears it. */
    state(state: GroupState): Promise<void>;
    /** On one person's channel: for who was added, and whoever is in a new group. */
    stateTo(userId: number, state: GroupState): Promise<void>;
    check(audit: DeliveryCheck): Promise<void>;
    /** @returns the token of its confirmation */
    nudge(userId: number): Promise<string>;
    evict(userId: number): Promise<void>;
  };
  readonly #open = new Set<AskedRequest>();
  readonly #matchers = new Set<Matcher>();
  readonly #expected = new Map<string, () => void>();
  readonly #replyTo: string;
  readonly #publisher: Publisher;
  #always: Always = {};
  #stop: () => Promise<void> = async () => {};

  static async start({ redisUrl, prefix }: { redisUrl: string; prefix: string }): Promise<PuppetCore> {
    const connect = (role: 'command' | 'blocking' | 'subscriber') =>
      connectRedis(redisUrl, { role, name: `puppet-${role}`, log: silent });
    const [command, blocking, subscriber] = await Promise.all([
      connect('command'),
      connect('blocking'),
      connect('subscriber'),
    ]);
    const names = createNames(prefix, () => puppet.epoch);
    const stream = names.requests;
    const group = names.cores;
    const publisher = new Publisher({
      redis: command,
      stream,
      group,
      channelOf: names.gateway,
      log: silent,
    });
    const puppet: PuppetCore = new PuppetCore(names, publisher);
    const subscriptions = new Subscriptions({
      redis: subscriber,
      part: quiet,
      onPublication: (_, bytes) => puppet.#confirmed(JSON.parse(bytes.toString())),
      onResubscribed() {},
    });
    await subscriptions.acquire(puppet.#replyTo);
    const reader = await startRequestReader<CoreRequest>({
      blocking,
      command,
      stream,
      group,
      consumer: `puppet-${randomUUID()}`,
      entriesMax: 100,
      room: async () => {},
      onStreamLost() {},
      onEntry: (entry) => puppet.#take(entry),
      onUnreadable(id, { reason }) {
        throw new Error(`entry ${id} is unreadable: ${reason}`);
      },
      part: quiet,
    });
    puppet.#stop = async () => {
      await reader.stop();
      await publisher.flushed();
      subscriptions.close();
      blocking.disconnect();
      command.disconnect();
    };
    return puppet;
  }

  private constructor(names: Names, publisher: Publisher) {
    this.names = names;
    this.#publisher = publisher;
    this.#replyTo = names.core(`puppet-${randomUUID()}`);
    const tell = (channel: string, payload: string) => {
      publisher.publish(channel, payload);
      return publisher.flushed();
    };
    this.publish = {
      message: ({ message_id, frame, ...place }) =>
        tell(
          names.group(place.group_id),
          encodeMessages({ ...place, message_ids: [message_id], frames: [frame] }),
        ),
      state: (state) => tell(names.group(state.group_id), encodeState(state)),
      stateTo: (userId, state) => tell(names.user(userId), encodeState(state)),
      check: (check) => tell(names.group(check.group_id), encodeDeliveryCheck(check)),
      evict: (user_id) => tell(names.user(user_id), encodeEviction({ user_id })),
      nudge: async (user_id) => {
        const token = randomUUID();
        await tell(names.user(user_id), encodeRedeliveryRequest({ user_id, token, reply_to: this.#replyTo }));
        return token;
      },
    };
  }

  /** Resolves when the nudge of this token is confirmed. */
  confirmed(token: string): Promise<void> {
    const confirmed = new Promise<void>((resolve) => {
      if (this.confirmations.some((confirmation) => confirmation.token === token)) resolve();
      else this.#expected.set(token, resolve);
    });
    return within(`for the confirmation of ${token}`, confirmed, () => this.confirmations.slice(-20));
  }

  /** Resolves when every confirmation that Redis has by now is in `confirmations`: it is told in order. */
  async heardConfirmations(): Promise<void> {
    const token = randomUUID();
    this.#publisher.publish(this.#replyTo, JSON.stringify({ user_id: 0, token }));
    await this.confirmed(token);
  }

  /** Whether the nudge of this token was confirmed before now. */
  async isConfirmed(token: string): Promise<boolean> {
    await this.heardConfirmations();
    return this.confirmations.some((confirmation) => confirmation.token === token);
  }

  /** Takes the oldest request of a type that nobody took, whether it is here or yet to come. */
  next<K extends RequestType>(
    type: K,
    isMeant: (params: ParamsOf<K>) => boolean = () => true,
  ): Promise<AskedRequest<K>> {
    const matches = (asked: AskedRequest) => asked.type === type && isMeant(asked.params as ParamsOf<K>);
    const matcher: Matcher = { matches, take() {} };
    const asked = new Promise<AskedRequest<K>>((resolve) => {
      matcher.take = (found) => {
        this.#open.delete(found);
        resolve(found as unknown as AskedRequest<K>);
      };
    });
    const open = [...this.#open].find(matches);
    if (open) matcher.take(open);
    else this.#matchers.add(matcher);
    // One that waited in vain must not take what a later test waits for.
    return within(`for a ${type}`, asked, () => `so far:\n${this.#lines()}`).finally(() =>
      this.#matchers.delete(matcher),
    );
  }

  /** Answers all further requests of a type that no test waits for as soon as they come. */
  always<K extends RequestType>(type: K, answer: (params: ParamsOf<K>) => AnswerOf<K>): void {
    this.#always = { ...this.#always, [type]: answer };
  }

  /** Answers a node by its name, as a core does that was frozen meanwhile. */
  answer(node: string, ref: number, answer: object): Promise<void> {
    this.#publisher.answer(node, { ref, ok: true, answer });
    return this.#publisher.flushed();
  }

  /** Takes no further requests; what is open stays so. */
  stop(): Promise<void> {
    return this.#stop();
  }

  #confirmed(confirmation: RedeliveryAcknowledged): void {
    this.confirmations.push(confirmation);
    this.#expected.get(confirmation.token)?.();
    this.#expected.delete(confirmation.token);
  }

  #take({ id, node, requests }: Entry<CoreRequest>): void {
    let open = requests.length;
    const settle = (ref: number, outcome: object) => {
      open -= 1;
      this.#publisher.answer(
        node,
        this.epoch === 0 ? { ref, ...outcome } : { ref, epoch: this.epoch, ...outcome },
      );
      if (open === 0) this.#publisher.finish(id);
      return this.#publisher.flushed();
    };
    for (const { ref, request_id, type, params } of requests) {
      const asked: AskedRequest = {
        node,
        ref,
        request_id,
        type,
        params,
        succeed: (answer) => settle(ref, { ok: true, answer }),
        refuse: (...errors) => settle(ref, { ok: false, errors }),
      };
      this.asked.push(asked);
      this.#hand(asked);
    }
  }

  #hand(asked: AskedRequest): void {
    for (const matcher of this.#matchers) {
      if (!matcher.matches(asked)) continue;
      this.#matchers.delete(matcher);
      matcher.take(asked);
      return;
    }
    const answer = this.#always[asked.type] as ((params: unknown) => AnswerOf<RequestType>) | undefined;
    if (answer) void asked.succeed(answer(asked.params));
    else this.#open.add(asked);
  }

  #lines(): string {
    return this.asked
      .slice(-30)
      .map(
        (asked) =>
          `  ${this.#open.has(asked) ? 'open ' : 'taken'} ${asked.type} ${JSON.stringify(asked.params)}`,
      )
      .join('\n');
  }
}

import { randomUUID } from 'node:crypto';
import {
  type BusLog,
  connectRedis,
  createNames,
  type Entry,
  type Names,
  Placement,
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
import { redisAddresses } from '@hooligram/service';
import { within } from '@hooligram/testkit';
import type { MembershipWithState } from './stored-group.ts';

/** The answer of a test: of a membership also the state, which is left out, and answered when it is asked for. */
export type TestAnswerOf<K extends RequestType> = K extends 'REPLAY_GROUPS'
  ? Omit<AnswerOf<K>, 'memberships'> & { memberships: readonly MembershipWithState[] }
  : AnswerOf<K>;

/** A request of a gateway that waits for a test's answer. `succeed` and `refuse` resolve when Redis has the answer. */
export type ReceivedRequest<K extends RequestType = RequestType> = {
  /** The name of the gateway process that sent it. */
  readonly node: string;
  /** Through which of several Redis it came. */
  readonly shard: number;
  readonly ref: number;
  readonly request_id: string;
  readonly type: K;
  readonly params: ParamsOf<K>;
  succeed(answer: TestAnswerOf<K>): Promise<void>;
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
  readonly matches: (request: ReceivedRequest) => boolean;
  give: (request: ReceivedRequest) => void;
};

/** The answers that `always` gives at once, to every further request of a type. */
type Always = { [K in RequestType]?: (params: ParamsOf<K>) => TestAnswerOf<K> };

const silent: BusLog = { info() {}, warn() {}, error() {} };
const quiet = { failed() {}, works() {} };

/**
 * A core in a test's hands: reads the real stream of requests and publishes through the real publisher, but decides
 * nothing. The test that drives it says when each request is answered, with what, and what is published in
 * which order. One step awaited after the other, they reach Redis in exactly that order.
 *
 * On several Redis it reads the requests of all, publishes where a group or a user lives, and answers where a request came.
 */
export class FakeCore {
  /** Every request so far, in the order of the stream, answered or not. */
  readonly received: ReceivedRequest[] = [];
  readonly names: Names;
  /** Of the database: what is answered and published from now on is of this one. */
  epoch = 0;
  /** Every acknowledgement of a redelivery request so far. */
  readonly acknowledgements: RedeliveryAcknowledged[] = [];
  readonly publish: {
    message(message: Message): Promise<void>;
    /** On the group's channel, which every gateway with a member receives. */
    state(state: GroupState): Promise<void>;
    /** On one user's channel: for a user who was added, and for every member of a new group. */
    stateTo(userId: number, state: GroupState): Promise<void>;
    check(check: DeliveryCheck): Promise<void>;
    /** @returns the token of its acknowledgement */
    redeliveryRequest(userId: number): Promise<string>;
    evict(userId: number): Promise<void>;
  };
  readonly #open = new Set<ReceivedRequest>();
  readonly #matchers = new Set<Matcher>();
  readonly #expected = new Map<string, () => void>();
  readonly #replyTo: string;
  readonly #placement: Placement;
  readonly #publishers: readonly Publisher[];
  /** What a test has answered last, of the groups of each user, and of each group's state. */
  readonly #groupIds = new Map<number, readonly number[]>();
  readonly #states = new Map<number, GroupState>();
  #always: Always = {};
  #stop: () => Promise<void> = async () => {};

  /** @param redisUrl of one Redis, or of several */
  static async start({ redisUrl, prefix }: { redisUrl: string; prefix: string }): Promise<FakeCore> {
    const names = createNames(prefix, () => core.epoch);
    const shards = await Promise.all(redisAddresses(redisUrl).map((url) => connectShard(url, names)));
    const core: FakeCore = new FakeCore(
      names,
      shards.map(({ publisher }) => publisher),
    );
    const stops = await Promise.all(
      shards.map((shard, index) =>
        openShard(shard, names, {
          replyTo: core.#replyTo,
          onReply: (bytes) => core.#onAcknowledged(JSON.parse(bytes.toString())),
          onEntry: (entry) => core.#receive(entry, index),
        }),
      ),
    );
    core.#stop = async () => {
      await Promise.all(stops.map((stop) => stop()));
    };
    return core;
  }

  private constructor(names: Names, publishers: readonly Publisher[]) {
    this.names = names;
    this.#placement = new Placement(publishers.length);
    this.#publishers = publishers;
    this.#replyTo = names.core(`fake-core-${randomUUID()}`);
    const publish = (id: number, channel: string, payload: string) => {
      const publisher = this.#publisherOf(id);
      publisher.publish(channel, payload);
      return publisher.flushed();
    };
    this.publish = {
      message: ({ message_id, frame, ...place }) =>
        publish(
          place.group_id,
          names.group(place.group_id),
          encodeMessages({ ...place, message_ids: [message_id], frames: [frame] }),
        ),
      state: (state) => publish(state.group_id, names.group(state.group_id), encodeState(state)),
      stateTo: (userId, state) => publish(userId, names.user(userId), encodeState(state)),
      check: (check) => publish(check.group_id, names.group(check.group_id), encodeDeliveryCheck(check)),
      evict: (user_id) => publish(user_id, names.user(user_id), encodeEviction({ user_id })),
      redeliveryRequest: async (user_id) => {
        const token = randomUUID();
        await publish(
          user_id,
          names.user(user_id),
          encodeRedeliveryRequest({ user_id, token, reply_to: this.#replyTo }),
        );
        return token;
      },
    };
  }

  /** Resolves when the redelivery request of this token is acknowledged. */
  acknowledged(token: string): Promise<void> {
    const acknowledged = new Promise<void>((resolve) => {
      if (this.acknowledgements.some((one) => one.token === token)) resolve();
      else this.#expected.set(token, resolve);
    });
    return within(`for the acknowledgement of ${token}`, acknowledged, () =>
      this.acknowledgements.slice(-20),
    );
  }

  /** Resolves when every acknowledgement that Redis has by now is in `acknowledgements`: they come in order. */
  async receivedAcknowledgements(): Promise<void> {
    const token = randomUUID();
    this.#publisherOf(0).publish(this.#replyTo, JSON.stringify({ user_id: 0, token }));
    await this.acknowledged(token);
  }

  /** Whether the redelivery request of this token was acknowledged before now. */
  async isAcknowledged(token: string): Promise<boolean> {
    await this.receivedAcknowledgements();
    return this.acknowledgements.some((one) => one.token === token);
  }

  /** The oldest request of a type that no test had yet, whether it is here or still to come. */
  next<K extends RequestType>(
    type: K,
    isMeant: (params: ParamsOf<K>) => boolean = () => true,
  ): Promise<ReceivedRequest<K>> {
    const matches = (request: ReceivedRequest) =>
      request.type === type && isMeant(request.params as ParamsOf<K>);
    const matcher: Matcher = { matches, give() {} };
    const request = new Promise<ReceivedRequest<K>>((resolve) => {
      matcher.give = (found) => {
        this.#open.delete(found);
        resolve(found as unknown as ReceivedRequest<K>);
      };
    });
    const open = [...this.#open].find(matches);
    if (open) matcher.give(open);
    else this.#matchers.add(matcher);
    // A wait that failed must not give what a later test waits for.
    return within(`for a ${type}`, request, () => `so far:\n${this.#lines()}`).finally(() =>
      this.#matchers.delete(matcher),
    );
  }

  /** Answers all further requests of a type that no test waits for as soon as they come. */
  always<K extends RequestType>(type: K, answer: (params: ParamsOf<K>) => TestAnswerOf<K>): void {
    this.#always = { ...this.#always, [type]: answer };
  }

  /** Answers a node by its name, as a core does that was frozen meanwhile. */
  answer(node: string, ref: number, answer: object): Promise<void> {
    const publisher = this.#publisherOf(0);
    publisher.answer(node, { ref, ok: true, answer });
    return publisher.flushed();
  }

  /** On which Redis a group or a user lives. */
  shardOf(id: number): number {
    return this.#placement.of(id);
  }

  #publisherOf(id: number): Publisher {
    return this.#publishers[this.#placement.of(id)] as Publisher;
  }

  /** Takes no further requests; what is open stays so. */
  stop(): Promise<void> {
    return this.#stop();
  }

  #onAcknowledged(acknowledgement: RedeliveryAcknowledged): void {
    this.acknowledgements.push(acknowledgement);
    this.#expected.get(acknowledgement.token)?.();
    this.#expected.delete(acknowledgement.token);
  }

  #receive({ id, node, requests }: Entry<CoreRequest>, shard: number): void {
    const publisher = this.#publishers[shard] as Publisher;
    let open = requests.length;
    const settle = (ref: number, outcome: object) => {
      open -= 1;
      publisher.answer(node, this.epoch === 0 ? { ref, ...outcome } : { ref, epoch: this.epoch, ...outcome });
      if (open === 0) publisher.finish(id);
      return publisher.flushed();
    };
    for (const { ref, request_id, type, params } of requests) {
      const request: ReceivedRequest = {
        node,
        shard,
        ref,
        request_id,
        type,
        params,
        succeed: (answer) => settle(ref, { ok: true, answer: this.#answerTo(request, answer) }),
        refuse: (...errors) => settle(ref, { ok: false, errors }),
      };
      this.received.push(request);
      this.#dispatch(request);
    }
  }

  #dispatch(request: ReceivedRequest): void {
    for (const matcher of this.#matchers) {
      if (!matcher.matches(request)) continue;
      this.#matchers.delete(matcher);
      matcher.give(request);
      return;
    }
    const answer = (this.#always[request.type] ?? this.#implied(request)) as
      | ((params: unknown) => TestAnswerOf<RequestType>)
      | undefined;
    if (answer) void request.succeed(answer(request.params));
    else this.#open.add(request);
  }

  /** A test answers a read of groups, or a page, with the state: it is left out here, and answered when it is asked for. */
  #answerTo({ type, params }: ReceivedRequest, answer: object): object {
    if (type === 'AUTHORIZATION_SIGN_IN') {
      const { user_id, group_ids } = answer as AnswerOf<'AUTHORIZATION_SIGN_IN'>;
      this.#groupIds.set(user_id, group_ids);
    }
    if (type === 'REPLAY_PAGE' && 'state' in answer) {
      const { state, ...page } = answer as { state: GroupState };
      const known = this.#states.get(state.group_id)?.version ?? 0;
      if (state.version > known) this.#states.set(state.group_id, state);
      return page;
    }
    if (type !== 'REPLAY_GROUPS') return answer;
    const { user_id } = params as ParamsOf<'REPLAY_GROUPS'>;
    const { memberships, ...others } = answer as TestAnswerOf<'REPLAY_GROUPS'>;
    return {
      ...others,
      memberships: memberships.map(({ state, ...cursor }) => {
        this.#states.set(state.group_id, state);
        const { group_id, version, closed, members } = state;
        const joined_seq = members.find(([memberId]) => memberId === user_id)?.[2] ?? 0;
        return { group_id, version, closed, joined_seq, ...cursor };
      }),
    };
  }

  /** The answer that follows from what a test answered before, for requests that no test waits for. */
  #implied({ type, params }: ReceivedRequest): (() => object) | undefined {
    if (type === 'GROUP_STATES') {
      const { group_ids } = params as ParamsOf<'GROUP_STATES'>;
      const states = group_ids.flatMap((id) => this.#states.get(id) ?? []);
      return () => ({ states, looked: group_ids.length });
    }
    const [userId = 0, ...others] = type === 'GROUP_IDS' ? (params as ParamsOf<'GROUP_IDS'>).user_ids : [];
    const known = others.length === 0 ? this.#groupIds.get(userId) : undefined;
    return known && (() => ({ group_ids: [known] }));
  }

  #lines(): string {
    return this.received
      .slice(-30)
      .map(
        (request) =>
          `  ${this.#open.has(request) ? 'open ' : 'taken'} ${request.type} ${JSON.stringify(request.params)}`,
      )
      .join('\n');
  }
}

type ConnectedShard = Awaited<ReturnType<typeof connectShard>>;

async function connectShard(url: string, names: Names) {
  const connect = (role: 'command' | 'blocking' | 'subscriber') =>
    connectRedis(url, { role, name: `fake-core-${role}`, log: silent });
  const [command, blocking, subscriber] = await Promise.all([
    connect('command'),
    connect('blocking'),
    connect('subscriber'),
  ]);
  const refuse = () => {
    throw new Error('a test answers with what cannot be sent');
  };
  const publisher = new Publisher({ redis: command, names, refuse, log: silent });
  return { command, blocking, subscriber, publisher };
}

type Receiver = {
  readonly replyTo: string;
  onReply(bytes: Buffer): void;
  onEntry(entry: Entry<CoreRequest>): void;
};

/** @returns ends it */
async function openShard(
  { command, blocking, subscriber, publisher }: ConnectedShard,
  { requests: stream, cores: group }: Names,
  { replyTo, onReply, onEntry }: Receiver,
): Promise<() => Promise<void>> {
  const subscriptions = new Subscriptions({
    redis: subscriber,
    part: quiet,
    onPublication: (_, bytes) => onReply(bytes),
    onResubscribed() {},
  });
  await subscriptions.acquire(replyTo);
  const reader = await startRequestReader<CoreRequest>({
    blocking,
    command,
    stream,
    group,
    consumer: `fake-core-${randomUUID()}`,
    entriesMax: 100,
    room: async () => {},
    onStreamLost() {},
    onEntry,
    onUnreadable(id, { reason }) {
      throw new Error(`entry ${id} is unreadable: ${reason}`);
    },
    part: quiet,
  });
  return async () => {
    await reader.stop();
    await publisher.flushed();
    subscriptions.close();
    blocking.disconnect();
    command.disconnect();
  };
}

import { randomUUID } from 'node:crypto';
import { connectRedis, createNames, type Names, Subscriptions } from '@hooligram/bus';
import {
  type NodeCall,
  type NodeCalls,
  type NodeCallType,
  type NodeReply,
  readNodeReply,
} from '@hooligram/contract';
import type { Place } from './config.ts';
import { exitCodes, Refusal } from './program.ts';
import { quiet, type Redis, withRedis } from './stores/redis.ts';

/** A node that has not replied by then does not answer. */
const replyTimeoutMs = 2_000;

type Waiting = { readonly replies: NodeReply[]; readonly token: string; onReply(): void };

/** Asks the nodes of a system, over Redis. Whoever is subscribed to the channel of all nodes replies. */
export class Nodes {
  readonly #redis: Redis;
  readonly #names: Names;
  readonly #own: string;
  readonly #waiting = new Map<string, Waiting>();

  constructor(redis: Redis, names: Names, own: string) {
    this.#redis = redis;
    this.#names = names;
    this.#own = own;
  }

  receive(bytes: Buffer): void {
    const reply = readNodeReply(bytes);
    const waiting = reply && this.#waiting.get(reply.token);
    if (!waiting) return;
    waiting.replies.push(reply);
    waiting.onReply();
  }

  /**
   * Asks all nodes, or one.
   * @returns the replies of those that answered within two seconds
   */
  async ask<T extends NodeCallType>(
    type: T,
    params: NodeCalls[T]['params'],
    node: string | null = null,
  ): Promise<NodeReply<T>[]> {
    const call = { type, node, token: randomUUID(), reply_to: this.#own, params } as NodeCall;
    // A core has nothing to reply to most calls.
    const all = type === 'STATUS' ? await this.#listeners() : (await this.#subscribed('gateway')).length;
    const expected = node === null ? all : 1;
    const replies: NodeReply[] = [];
    if (all === 0) return [];
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, replyTimeoutMs);
      const onReply = () => {
        if (replies.length < expected) return;
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.set(call.token, { replies, token: call.token, onReply });
      this.#redis.publish(this.#names.nodes, JSON.stringify(call)).catch(reject);
    }).finally(() => this.#waiting.delete(call.token));
    return replies as NodeReply<T>[];
  }

  /** All nodes that answer, gateways first. */
  async statuses(): Promise<NodeReply<'STATUS'>[]> {
    const order = ({ role, body, node }: NodeReply<'STATUS'>) =>
      `${role === 'gateway' ? 0 : 1} ${body.host} ${body.started_at} ${node}`;
    return (await this.ask('STATUS', {})).sort((one, other) => (order(one) < order(other) ? -1 : 1));
  }

  /** Nodes that are subscribed and did not answer: frozen, with other BUS_SIGNING_KEYS, or of a release that knows no operator. */
  async silent(answered: readonly NodeReply<'STATUS'>[]): Promise<{ role: string; node: string }[]> {
    const known = new Set(answered.map(({ node }) => node));
    const roles = ['gateway', 'core'] as const;
    const found = await Promise.all(
      roles.map(async (role) => (await this.#subscribed(role)).map((node) => ({ role, node }))),
    );
    return found.flat().filter(({ node }) => !known.has(node));
  }

  /**
   * The gateway that an operator means: by its name or the beginning of it, by `host:pid`, or by its pid.
   * @throws Refusal
   */
  async findGateway(name: string): Promise<NodeReply<'STATUS'>> {
    const gateways = (await this.statuses()).filter(({ role }) => role === 'gateway');
    const exact = gateways.filter(({ node, body: { host, pid } }) =>
      [node, `${host}:${pid}`, String(pid)].includes(name),
    );
    const found = exact.length > 0 ? exact : gateways.filter(({ node }) => node.startsWith(name));
    if (found.length === 1 && found[0]) return found[0];
    throw new Refusal(
      found.length > 1
        ? `${found.length} gateways are called ${name}: give more of the name (hooligram status lists them)`
        : `no gateway that answers is called ${name} (hooligram status lists them)`,
      found.length > 1 ? exitCodes.usage : exitCodes.unreachable,
    );
  }

  async #listeners(): Promise<number> {
    const [, count] = (await this.#redis.pubsub('NUMSUB', this.#names.nodes)) as [string, number];
    return Number(count);
  }

  /** The names of all nodes of a role that are subscribed to their own channel. */
  async #subscribed(role: 'gateway' | 'core'): Promise<string[]> {
    const escaped = this.#names[role]('').replace(/[\\*?[\]]/g, '\\$&');
    const channels = (await this.#redis.pubsub('CHANNELS', `${escaped}*`)) as string[];
    return channels.map((channel) => channel.slice(this.#names[role]('').length));
  }
}

/** Lends a way to the nodes of a system. */
export function withNodes<T>(
  place: Place,
  use: (nodes: Nodes, redis: Redis, names: Names) => Promise<T>,
): Promise<T> {
  return withRedis(place, async (redis, names) => {
    const own = createNames(place.prefix).operator(randomUUID());
    const subscriber = await connectRedis(place.redisUrl, {
      role: 'subscriber',
      name: 'hooligram',
      log: quiet,
      caFile: place.caFile,
    });
    const nodes = new Nodes(redis, names, own);
    let refuse = (_reason: string) => {};
    const refused = new Promise<never>((_, reject) => {
      refuse = (reason) => reject(new Refusal(reason));
    });
    const subscriptions = new Subscriptions({
      redis: subscriber,
      // It would try again for ever.
      part: { works() {}, failed: (reason) => refuse(reason) },
      onPublication: (_, bytes) => nodes.receive(bytes),
      onResubscribed() {},
      signing: place.signatures && {
        signatures: place.signatures,
        // Nobody of this system has replied.
        onRefused() {},
      },
    });
    try {
      await Promise.race([subscriptions.acquire(own), refused]);
      return await use(nodes, redis, names);
    } finally {
      subscriptions.close();
      subscriber.disconnect();
    }
  });
}

import { randomUUID } from 'node:crypto';
import { connectRedis, createNames, Subscriptions } from '@hooligram/bus';
import {
  type NodeCall,
  type NodeCalls,
  type NodeCallType,
  type NodeReply,
  readNodeReply,
} from '@hooligram/contract';
import type { Place } from './config.ts';
import { exitCodes, Refusal } from './program.ts';
import { quiet } from './stores/redis.ts';
import { type Shard, type Shards, withShards } from './stores/shards.ts';

type Waiting = { readonly replies: Map<string, NodeReply>; onReply(): void };

/** Which nodes a call is for, and over which Redis it reaches them: null for all that are subscribed there. */
type Way = { readonly shard: Shard; readonly node: string | null; readonly expected: number };

const roles = ['gateway', 'core'] as const;

/**
 * Asks the nodes of a system, over Redis. Whoever is subscribed to the channel of all nodes replies. With several Redis each
 * node gets a call once, over the first Redis that it is subscribed to.
 */
export class Nodes {
  readonly #shards: readonly Shard[];
  readonly #own: string;
  readonly #replyTimeoutMs: number;
  readonly #waiting = new Map<string, Waiting>();

  /** @param replyTimeoutMs a node that has not replied by then does not answer */
  constructor(shards: readonly Shard[], own: string, replyTimeoutMs: number) {
    this.#shards = shards;
    this.#own = own;
    this.#replyTimeoutMs = replyTimeoutMs;
  }

  receive(bytes: Buffer): void {
    const reply = readNodeReply(bytes);
    const waiting = reply && this.#waiting.get(reply.token);
    if (!waiting) return;
    waiting.replies.set(reply.node, reply);
    waiting.onReply();
  }

  /**
   * Asks all nodes, or one.
   * @returns the replies of those that answered in time
   */
  async ask<T extends NodeCallType>(
    type: T,
    params: NodeCalls[T]['params'],
    node: string | null = null,
  ): Promise<NodeReply<T>[]> {
    const token = randomUUID();
    const ways = await this.#waysTo(type, node);
    const expected = ways.reduce((sum, way) => sum + way.expected, 0);
    const replies = new Map<string, NodeReply>();
    if (expected === 0) return [];
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, this.#replyTimeoutMs);
      const onReply = () => {
        if (replies.size < expected) return;
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.set(token, { replies, onReply });
      for (const { shard, node } of ways) {
        const call = { type, node, token, reply_to: this.#own, params } as NodeCall;
        shard.redis.publish(shard.names.nodes, JSON.stringify(call)).catch(reject);
      }
    }).finally(() => this.#waiting.delete(token));
    return [...replies.values()] as NodeReply<T>[];
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
    const found = new Map<string, { role: string; node: string }>();
    for (const shard of this.#shards) {
      for (const role of roles) {
        for (const node of await subscribedTo(shard, role))
          if (!known.has(node)) found.set(node, { role, node });
      }
    }
    return [...found.values()];
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

  async #waysTo(type: NodeCallType, node: string | null): Promise<Way[]> {
    // A core has nothing to reply to most calls.
    const asked = type === 'STATUS' ? roles : (['gateway'] as const);
    const [first, ...others] = this.#shards as [Shard, ...Shard[]];
    const all = type === 'STATUS' ? await listenersOf(first) : (await subscribedTo(first, 'gateway')).length;
    if (others.length === 0)
      return all === 0 ? [] : [{ shard: first, node, expected: node === null ? all : 1 }];
    const ways: Way[] = node === null ? [{ shard: first, node, expected: all }] : [];
    const reached = new Set<string>();
    for (const shard of this.#shards) {
      const there = (await Promise.all(asked.map((role) => subscribedTo(shard, role)))).flat();
      for (const one of there) {
        const isMeant = node === null ? shard !== first : node === one;
        if (isMeant && !reached.has(one)) ways.push({ shard, node: one, expected: 1 });
        reached.add(one);
      }
    }
    return ways;
  }
}

async function listenersOf({ redis, names }: Shard): Promise<number> {
  const [, count] = (await redis.pubsub('NUMSUB', names.nodes)) as [string, number];
  return Number(count);
}

/** The names of all nodes of a role that are subscribed to their own channel. */
async function subscribedTo({ redis, names }: Shard, role: (typeof roles)[number]): Promise<string[]> {
  const escaped = names[role]('').replace(/[\\*?[\]]/g, '\\$&');
  const channels = (await redis.pubsub('CHANNELS', `${escaped}*`)) as string[];
  return channels.map((channel) => channel.slice(names[role]('').length));
}

/** Lends a way to the nodes of a system, and a connection to each Redis that answers. */
export function withNodes<T>(place: Place, use: (nodes: Nodes, shards: Shards) => Promise<T>): Promise<T> {
  return withShards(place, async (shards) => {
    const own = createNames(place.prefix).operator(randomUUID());
    const nodes = new Nodes(shards.working, own, place.replyTimeoutMs);
    const closers: (() => void)[] = [];
    try {
      await Promise.all(shards.working.map((shard) => listen(shard, own, nodes, closers)));
      return await use(nodes, shards);
    } finally {
      for (const close of closers) close();
    }
  });
}

/** Resolves when what nodes reply over this Redis arrives. @throws Refusal */
async function listen({ place }: Shard, own: string, nodes: Nodes, closers: (() => void)[]): Promise<void> {
  const { redisUrl, caFile, signatures } = place;
  const redis = await connectRedis(redisUrl, { role: 'subscriber', name: 'hooligram', log: quiet, caFile });
  closers.push(() => redis.disconnect());
  let refuse = (_reason: string) => {};
  const refused = new Promise<never>((_, reject) => {
    refuse = (reason) => reject(new Refusal(reason));
  });
  const subscriptions = new Subscriptions({
    redis,
    // It would try again for ever.
    part: { works() {}, failed: (reason) => refuse(reason) },
    onPublication: (_, bytes) => nodes.receive(bytes),
    onResubscribed() {},
    signing: signatures && {
      signatures,
      // Nobody of this system has replied.
      onRefused() {},
    },
  });
  closers.unshift(() => subscriptions.close());
  await Promise.race([subscriptions.acquire(own), refused]);
}

/**
 * Every name that Redis sees, made in one place. A deployment's names share a prefix, so that several can use
 * one Redis. Names that one pipeline touches together carry the same hash tag, so that Redis Cluster can
 * spread the rest.
 */
export type Names = {
  /** The stream on which gateways ask. */
  readonly requests: string;
  /** What each node writes to prove its way to Redis: in the slot of the requests. */
  readonly echo: string;
  /** The requests of a claimed entry that were begun and have not ended. */
  suspects(entryId: string): string;
  /** The consumer group in which all cores take turns. */
  readonly cores: string;
  /** What happens in a group. Heard by every gateway that holds a member. */
  group(id: number): string;
  /** What concerns one person. Heard by every gateway that holds them. */
  user(id: number): string;
  /** What a channel is about, if it is one of a group or a user. */
  subjectOf(channel: string): { readonly kind: 'group' | 'user'; readonly id: number } | undefined;
  /** Tells all gateways that the request stream was lost, so that they write again what has no answer. */
  readonly gateways: string;
  /** Answers to one gateway process. */
  gateway(node: string): string;
  /** What gateways confirm to one core process. */
  core(node: string): string;
  /** First part of every key of the queues: BullMQ's scripts touch several of them at once. */
  readonly queues: string;
  /** Says which memory this is: missing after Redis has lost it. */
  readonly epoch: string;
};

export function createNames(prefix: string): Names {
  function subjectOf(channel: string) {
    for (const kind of ['group', 'user'] as const) {
      const start = `${prefix}:${kind}:`;
      if (channel.startsWith(start)) return { kind, id: Number(channel.slice(start.length)) };
    }
    return undefined;
  }

  return {
    requests: `${prefix}:{requests}`,
    echo: `${prefix}:{requests}:echo`,
    suspects: (entryId) => `${prefix}:{requests}:suspects:${entryId}`,
    cores: 'cores',
    group: (id) => `${prefix}:group:${id}`,
    user: (id) => `${prefix}:user:${id}`,
    subjectOf,
    gateways: `${prefix}:gateways`,
    gateway: (node) => `${prefix}:gateway:${node}`,
    core: (node) => `${prefix}:core:${node}`,
    queues: `${prefix}:{queues}`,
    epoch: `${prefix}:{queues}:epoch`,
  };
}

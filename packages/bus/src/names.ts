/**
 * Every name that Redis sees, made in one place. A deployment's names share a prefix, so that several can use
 * one Redis. Names that one pipeline touches together carry the same hash tag. Keys are those of one Redis; channels have
 * the same names on each.
 */
export type Names = Keys & Channels;

export type Keys = {
  /** The stream of the gateways' requests. */
  readonly requests: string;
  /** How many bytes that stream had of late. */
  readonly requestsBytes: string;
  /** What each node writes to prove its way to Redis: in the slot of the requests. */
  readonly echo: string;
  /** The requests of a claimed entry that were begun and have not ended. */
  inProgress(entryId: string): string;
  /** The requests of an entry that were answered with a refusal, while the entry may be claimed and begun. */
  refused(entryId: string): string;
  /** The consumer group in which all cores take turns. */
  readonly cores: string;
  /** Requests that were given up, for operators. */
  readonly deadRequests: string;
  /** First part of every key of the queues: BullMQ's scripts touch several of them at once. */
  readonly queues: string;
  /** The groups that wait for their delivery check. */
  readonly dueGroups: string;
  /** When a sweep last reached the end of all groups, in milliseconds since the epoch by Redis's clock. */
  readonly sweepEnded: string;
  /** Identifies the dataset of this Redis: missing after Redis has lost it. */
  readonly epoch: string;
  /** Which process of Redis held this dataset when a core looked last. */
  readonly server: string;
  /** What cores have seen of the database, for cores that start later: its epoch, which history, how far. */
  readonly databaseEpoch: string;
  /** First part of the keys of limits. */
  readonly limits: string;
};

export type Channels = {
  /** What happens in a group. Every gateway that holds a member subscribes. Another name in another epoch. */
  group(id: number): string;
  /** What concerns one user. Every gateway that holds them subscribes. Another name in another epoch. */
  user(id: number): string;
  /** The group or the user of a channel, of any epoch; undefined for every other channel. */
  subjectOf(channel: string): { readonly type: 'group' | 'user'; readonly id: number } | undefined;
  /** Whether a channel of a group or of a user is one of this epoch. */
  isOfEpoch(channel: string): boolean;
  /** Asks all gateways to look: the request stream was lost, or the database has another epoch. */
  readonly gateways: string;
  /** What operators ask of nodes, of both roles. */
  readonly nodes: string;
  /** What gateways that level their load tell each other. */
  readonly levels: string;
  /** Replies of nodes to one operator. */
  operator(id: string): string;
  /** Answers to one gateway process. */
  gateway(node: string): string;
  /** Replies of gateways to redelivery requests of one core process. */
  core(node: string): string;
};

/**
 * @param epoch the database's, now; each has its own channels for groups and users, so that histories never mix
 * @param tag of the keys: see `tagOfAddress`
 */
export function createNames(prefix: string, epoch: () => number = () => 0, tag = ''): Names {
  if (tag !== '' && /[{}]/.test(prefix))
    throw new Error('REDIS_PREFIX may have no braces with a Redis Cluster');
  return { ...keysOf(tag === '' ? prefix : `${prefix}:{${tag}}`), ...channelsOf(prefix, epoch) };
}

function keysOf(prefix: string): Keys {
  return {
    requests: `${prefix}:{requests}`,
    requestsBytes: `${prefix}:{requests}:bytes`,
    echo: `${prefix}:{requests}:echo`,
    deadRequests: `${prefix}:{requests}:dead-letters`,
    inProgress: (entryId) => `${prefix}:{requests}:in-progress:${entryId}`,
    refused: (entryId) => `${prefix}:{requests}:refused:${entryId}`,
    cores: 'cores',
    queues: `${prefix}:{queues}`,
    dueGroups: `${prefix}:{queues}:due-groups`,
    sweepEnded: `${prefix}:{queues}:sweep-ended`,
    epoch: `${prefix}:{queues}:epoch`,
    server: `${prefix}:{queues}:server`,
    databaseEpoch: `${prefix}:database-epoch`,
    limits: `${prefix}:limit`,
  };
}

function channelsOf(prefix: string, epoch: () => number): Channels {
  const first = (of: number) => (of === 0 ? prefix : `${prefix}:${of}`);
  function subjectOf(channel: string) {
    if (!channel.startsWith(`${prefix}:`)) return undefined;
    const [, type, id] = /^(?:\d+:)?(group|user):(\d+)$/.exec(channel.slice(prefix.length + 1)) ?? [];
    return type === 'group' || type === 'user' ? ({ type, id: Number(id) } as const) : undefined;
  }

  return {
    group: (id) => `${first(epoch())}:group:${id}`,
    user: (id) => `${first(epoch())}:user:${id}`,
    subjectOf,
    isOfEpoch: (channel) => epoch() === 0 || channel.startsWith(`${first(epoch())}:`),
    gateways: `${prefix}:gateways`,
    nodes: `${prefix}:nodes`,
    levels: `${prefix}:levels`,
    operator: (id) => `${prefix}:operator:${id}`,
    gateway: (node) => `${prefix}:gateway:${node}`,
    core: (node) => `${prefix}:core:${node}`,
  };
}

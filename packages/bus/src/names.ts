/**
 * Every name that Redis sees, made in one place. A deployment's names share a prefix, so that several can use
 * one Redis. Names that one pipeline touches together carry the same hash tag, so that Redis Cluster can
 * spread the rest.
 */
export type Names = {
  /** The stream on which gateways ask. */
  readonly requests: string;
  /** The consumer group in which all cores take turns. */
  readonly cores: string;
  /** What happens in a group. Heard by every gateway that holds a member. */
  group(id: number): string;
  /** What concerns one person. Heard by every gateway that holds them. */
  user(id: number): string;
  /** Answers to one gateway process. */
  gateway(node: string): string;
};

export function createNames(prefix: string): Names {
  return {
    requests: `${prefix}:{requests}`,
    cores: 'cores',
    group: (id) => `${prefix}:group:${id}`,
    user: (id) => `${prefix}:user:${id}`,
    gateway: (node) => `${prefix}:gateway:${node}`,
  };
}

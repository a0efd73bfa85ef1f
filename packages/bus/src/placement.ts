/** Fixed for ever: what belongs to a group or a user belongs to one of so many partitions. */
export const partitions = 256;

/** 2^32 / phi, odd: ids that follow each other come to lie far apart (Knuth, The Art of Computer Programming 3, 6.4). */
const spread = 0x9e3779b1;

/** The partition of a group or a user. */
export function partitionOf(id: number): number {
  // Ids have up to 53 bits.
  const folded = (id ^ Math.floor(id / 0x1_0000_0000)) >>> 0;
  return Math.imul(folded, spread) >>> 24;
}

/**
 * On which of several Redis a partition lives. With one more Redis at the end of the list every partition stays, or goes to
 * the new one (Lamping and Veach, A Fast, Minimal Memory, Consistent Hash Algorithm, 2014).
 *
 * @param shards how many Redis there are
 * @returns the index in their list
 */
export function shardOf(partition: number, shards: number): number {
  let key = BigInt(partition + 1) * 0x9e3779b97f4a7c15n;
  let at = 0;
  for (let next = 0; next < shards; ) {
    at = next;
    key = BigInt.asUintN(64, key * 2862933555777941757n + 1n);
    next = Math.floor((at + 1) * (2 ** 31 / (Number(key >> 33n) + 1)));
  }
  return at;
}

/** How many of several Redis have to work for a process to be of use: more than half; of two, one. */
export function shardsNeeded(shards: number): number {
  return shards === 2 ? 1 : Math.floor(shards / 2) + 1;
}

/** Where everything lives, given how many Redis there are: a table, read for each request and publication. */
export class Placement {
  readonly shards: number;
  readonly #shardOf: readonly number[];

  constructor(shards: number) {
    this.shards = shards;
    this.#shardOf = Array.from({ length: partitions }, (_, partition) => shardOf(partition, shards));
  }

  /** @param id of a group or of a user */
  of(id: number): number {
    return this.#shardOf[partitionOf(id)] as number;
  }

  /** The same for what belongs to no group and no user, under its name. */
  ofName(name: string): number {
    let hash = 0;
    for (let index = 0; index < name.length; index += 1) {
      hash = (Math.imul(hash, 31) + name.charCodeAt(index)) >>> 0;
    }
    return this.of(hash);
  }
}

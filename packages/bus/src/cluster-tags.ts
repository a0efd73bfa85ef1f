import { redisAddress } from '@hooligram/service';

/** The Redis Cluster specification, "Key distribution model". */
const slots = 16_384;
const polynomial = 0x1021;

/** In which slot of a Redis Cluster a key without a hash tag is: CRC-16/XMODEM of its bytes. */
export function slotOf(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(key)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? polynomial : 0)) & 0xffff;
  }
  return crc % slots;
}

/**
 * The hash tag that all names of a shard carry: the smallest number whose slot is in the middle half of that shard's part of
 * all slots. So where masters have equal parts, as `redis-cli --cluster create` makes them, each has as many shards.
 */
export function tagOf(shard: number, shards: number): string {
  const part = slots / shards;
  for (let number = 0; ; number += 1) {
    const tag = String(number);
    if (Math.abs(slotOf(tag) - (shard + 0.5) * part) < part / 4) return tag;
  }
}

/** The hash tag of the Redis of an address; empty unless that is a shard of a Redis Cluster. */
export function tagOfAddress(address: string): string {
  const { cluster } = redisAddress(address);
  return cluster ? tagOf(cluster.shard, cluster.shards) : '';
}

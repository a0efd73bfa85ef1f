import type { Rate } from './config.ts';
import type { Counted, LimitFactory } from './limit.ts';

/** Points of wider networks as multiples of a source's: few people rent a whole network, and many share one. */
const factors = [1, 4, 16];

/** A limit for a source and the networks around it. @returns what counts for these networks, the narrowest first */
export function createNetworkLimit(create: LimitFactory, name: string, { points, seconds }: Rate) {
  const limits = factors.map((factor, index) =>
    create(index === 0 ? name : `${name}_network_${index}`, { points: points * factor, seconds }),
  );
  return (networks: readonly string[]): Counted[] =>
    networks.flatMap((key, index) => {
      const limit = limits[index];
      return limit ? [{ limit, key }] : [];
    });
}

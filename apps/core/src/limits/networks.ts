import type { Rate } from '@hooligram/service';
import type { Counted, LimitFactory } from './limit.ts';

/** Points of wider networks as multiples of a source's: few people rent a whole network, and many share one. */
const networks = [
  { suffix: '', factor: 1 },
  { suffix: '_network_1', factor: 4 },
  { suffix: '_network_2', factor: 16 },
] as const;

/** A limit for a source and the networks around it. @returns what counts for these networks, the narrowest first */
export function createNetworkLimit(
  create: LimitFactory,
  name: 'guess_source' | 'text_source',
  { points, seconds }: Rate,
) {
  const limits = networks.map(({ suffix, factor }) =>
    create(`${name}${suffix}`, { points: points * factor, seconds }),
  );
  return (keys: readonly string[]): Counted[] =>
    keys.flatMap((key, index) => {
      const limit = limits[index];
      return limit ? [{ limit, key }] : [];
    });
}

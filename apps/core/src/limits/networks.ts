import type { Rate } from '@hooligram/service';
import type { Counted, LimitFactory } from './limit.ts';
import type { Keys, Source } from './source.ts';

/** Points of wider networks as multiples of a source's: few people rent a whole network, and many share one. */
const networks = [
  { suffix: '', factor: 1 },
  { suffix: '_network_1', factor: 4 },
  { suffix: '_network_2', factor: 16 },
] as const;

/**
 * Points of a number for networks that have taken none of them yet, one for each: who wants to use them up needs as many
 * networks as there are points.
 *
 * @returns what counts for the first time of a network; undefined for an address that is not known
 */
export function createFirstLimit(
  create: LimitFactory,
  name: 'guess_first' | 'text_first',
  rate: Rate,
  keys: Keys,
) {
  const ofNumber = create(name, rate);
  const ofNetwork = create(`${name}_network`, { points: 1, seconds: rate.seconds });
  return (source: Source): Counted[] | undefined => {
    const key = keys.widePair(source);
    if (key === undefined) return undefined;
    return [
      { limit: ofNetwork, key },
      { limit: ofNumber, key: keys.number(source) },
    ];
  };
}

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

import { type FaultName, faultNames } from './faults/index.ts';
import type { Random } from './random.ts';

/** Faults in an order that the seed decides: each of them once before any comes again. */
export function* schedule(only: readonly FaultName[], random: Random): Generator<FaultName, never> {
  const deck = only.length > 0 ? only : faultNames;
  for (;;) yield* random.shuffled(deck);
}

import { type HarmName, harmNames } from './harms/index.ts';
import type { Random } from './random.ts';

/** Harms in an order that the seed decides: each of them once before any comes again. */
export function* schedule(only: readonly HarmName[], random: Random): Generator<HarmName, never> {
  const deck = only.length > 0 ? only : harmNames;
  for (;;) yield* random.shuffled(deck);
}

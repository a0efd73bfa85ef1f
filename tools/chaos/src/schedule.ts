import { type FaultName, faultNamesOf } from './faults/index.ts';
import type { Random } from './random.ts';
import type { RedisForm } from './redis-forms.ts';

/** Faults in an order that the seed decides: each of them once before any comes again. */
export function* schedule(
  only: readonly FaultName[],
  form: RedisForm,
  random: Random,
): Generator<FaultName, never> {
  const deck = only.length > 0 ? only : faultNamesOf(form);
  for (;;) yield* random.shuffled(deck);
}

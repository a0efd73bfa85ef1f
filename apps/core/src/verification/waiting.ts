import { isInfrastructureError } from '@hooligram/db';
import type { Context } from '../context.ts';
import type { Asked } from '../requests/handler.ts';
import { storeMs } from './config.ts';

const lookEveryMs = 100;

type Timed = Pick<Asked<never>, 'deadline'>;

/**
 * How long the provider may take: its answer has to be stored before the request is repeated.
 *
 * @returns milliseconds; 0 or less: one that takes time must not be asked any more
 */
export function providerTimeMs({ clock }: Context, { deadline = Number.POSITIVE_INFINITY }: Timed): number {
  return deadline - storeMs - clock.now();
}

/** After so long, whoever began to ask the provider has stored its answer, or never will. */
export function abandonedAfterMs({ config }: Context): number {
  return config.TWILIO_TIMEOUT_MS + storeMs;
}

/**
 * Looks until a request that is under way has its answer.
 *
 * @param look reads the answer that stands, and settles what was abandoned
 * @returns `under_way` if the deadline passes first: nothing is known then
 */
export async function settled<A extends string>(
  { clock }: Context,
  { deadline = Number.POSITIVE_INFINITY }: Timed,
  look: () => Promise<A | 'under_way'>,
): Promise<A | 'under_way'> {
  for (;;) {
    const answer = await look();
    if (answer !== 'under_way' || clock.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

/**
 * Stores what a provider said. The handler as a whole is run again when the database is away, and could not ask the
 * provider a second time: so this is tried by itself, until the request's deadline.
 *
 * @throws what the database threw last
 */
export async function stored<T>(
  { clock }: Context,
  { deadline = Number.POSITIVE_INFINITY }: Timed,
  store: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await store();
    } catch (error) {
      if (!isInfrastructureError(error) || clock.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

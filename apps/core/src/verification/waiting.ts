import { isInfrastructureError } from '@hooligram/db';
import type { Context } from '../context.ts';
import type { HandlerRequest } from '../requests/handler.ts';
import { storeMs } from './config.ts';

const pollEveryMs = 100;

type WithDeadline = Pick<HandlerRequest<never>, 'deadline'>;

/**
 * How long the provider may take: its answer has to be stored before the request is repeated.
 *
 * @returns milliseconds; with 0 or less, a provider that takes time must not be called any more
 */
export function providerTimeMs(
  { clock }: Context,
  { deadline = Number.POSITIVE_INFINITY }: WithDeadline,
): number {
  return deadline - storeMs - clock.now();
}

/** After so long, a core that called the provider has stored the answer, or never will. */
export function abandonedAfterMs({ config }: Context): number {
  return config.TWILIO_TIMEOUT_MS + storeMs;
}

/**
 * Polls until a request that is in progress elsewhere has its stored answer.
 *
 * @param look reads the stored answer, and settles a request that was abandoned
 * @returns `under_way` if the deadline passes first: the answer is not known then
 */
export async function settled<A extends string>(
  { clock }: Context,
  { deadline = Number.POSITIVE_INFINITY }: WithDeadline,
  look: () => Promise<A | 'under_way'>,
): Promise<A | 'under_way'> {
  for (;;) {
    const answer = await look();
    if (answer !== 'under_way' || clock.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
  }
}

/**
 * Stores a provider's answer. While the database is away this step is repeated by itself until the request's deadline:
 * a second run of the whole handler could not call the provider again.
 *
 * @throws what the database threw last
 */
export async function stored<T>(
  { clock }: Context,
  { deadline = Number.POSITIVE_INFINITY }: WithDeadline,
  store: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await store();
    } catch (error) {
      if (!isInfrastructureError(error) || clock.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
  }
}

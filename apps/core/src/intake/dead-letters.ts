import type { CoreRequest } from '@hooligram/contract';
import type { Context } from '../context.ts';

const see = 'docs/operations.md#dead-letters';

/**
 * Records a request that cannot be handled: it is counted, logged, and kept in Redis for an operator. Of its parameters
 * only ids and flags are.
 */
export function recordDeadLetter(
  { log, metrics, keepDeadRequest }: Context,
  request: CoreRequest,
  reason: string,
): void {
  const { type, request_id } = request;
  const impersonal = Object.entries(request.params ?? {}).filter(([, value]) => isImpersonal(value));
  const params = Object.fromEntries(impersonal);
  metrics.requestDeadLetters.inc({ type, cause: 'handling' });
  log.error({ type, request_id, params, reason }, 'request became a dead letter');
  // Without Redis the log alone has it.
  keepDeadRequest({ type, request_id, params, reason }).catch(() => {});
}

/**
 * Records the requests of an entry that are done, and whose publications or answers Redis does not take: they are counted, and
 * the entry is logged. Nothing is kept for an operator, since nothing is left to be done.
 */
export function recordUnpublished(
  { log, metrics }: Context,
  requests: readonly (readonly [place: number, request: CoreRequest])[],
  entry: { readonly entry: string; readonly deliveries: number },
): void {
  for (const [, { type }] of requests) metrics.requestDeadLetters.inc({ type, cause: 'publishing' });
  const types = [...new Set(requests.map(([, { type }]) => type))];
  log.error({ ...entry, types, see }, 'an entry became a dead letter: Redis does not take what it publishes');
}

/** Texts and lists may hold phone numbers and the contents of messages. */
function isImpersonal(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

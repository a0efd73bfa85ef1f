import type { CoreRequest } from '@hooligram/contract';
import type { Context } from '../context.ts';

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
  metrics.requestDeadLetters.inc({ type });
  log.error({ type, request_id, params, reason }, 'request became a dead letter');
  // Without Redis the log alone has it.
  keepDeadRequest({ type, request_id, params, reason }).catch(() => {});
}

/** Texts and lists may hold phone numbers and the contents of messages. */
function isImpersonal(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

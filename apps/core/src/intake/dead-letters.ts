import type { CoreRequest } from '@hooligram/contract';
import type { Context } from '../context.ts';

/**
 * Records a request that cannot be handled: it is counted, and logged for an operator. Of its parameters only ids and
 * flags are logged.
 */
export function recordDeadLetter({ log, metrics }: Context, request: CoreRequest, reason: string): void {
  const { type, request_id } = request;
  const params = Object.entries(request.params ?? {}).filter(([, value]) => isImpersonal(value));
  metrics.requestDeadLetters.inc({ type });
  log.error({ type, request_id, params: Object.fromEntries(params), reason }, 'request became a dead letter');
}

/** Texts and lists may hold phone numbers and the contents of messages. */
function isImpersonal(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

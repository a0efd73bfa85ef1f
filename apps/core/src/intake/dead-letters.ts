import type { CoreRequest } from '@hooligram/contract';
import type { Context } from '../context.ts';

/**
 * Notes a request that cannot be handled: it is counted, and the log says what it was, for somebody to look at. Of its
 * parameters only ids and flags are logged.
 */
export function putAside({ log, metrics }: Context, request: CoreRequest, reason: string): void {
  const { type, request_id } = request;
  const params = Object.entries(request.params ?? {}).filter(([, value]) => isImpersonal(value));
  metrics.requestPutAside(type);
  log.error({ type, request_id, params: Object.fromEntries(params), reason }, 'request put aside');
}

/** Ids and flags say what it was; texts and lists hold phone numbers and what people wrote. */
function isImpersonal(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

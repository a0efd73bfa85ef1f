import type { CoreRequest } from '@hooligram/contract';
import type { Context } from './context.ts';

const keptMax = 1_000;

/** Keeps a request that cannot be handled, for somebody to look at; of its parameters only ids and flags. */
export async function putAside(context: Context, request: CoreRequest, reason: string): Promise<void> {
  const { log, metrics, names, redis } = context;
  metrics.requestPutAside(request.kind);
  const params = Object.entries(request.params ?? {}).filter(([, value]) => isImpersonal(value));
  const kept = { ...request, params: Object.fromEntries(params) };
  log.error({ kind: request.kind, request_id: request.request_id, reason }, 'request put aside');
  try {
    const body = JSON.stringify(kept);
    await redis.xadd(names.deadRequests, 'MAXLEN', '~', keptMax, '*', 'reason', reason, 'request', body);
  } catch (error) {
    log.warn({ err: error }, 'keeping a dead request failed');
  }
}

/** Ids and flags say what it was; texts and lists hold phone numbers and what people wrote. */
function isImpersonal(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

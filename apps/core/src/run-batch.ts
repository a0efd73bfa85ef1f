import type { CoreRequest, Outcome, RequestKind } from '@hooligram/contract';
import { isInfrastructureError } from '@hooligram/db';
import type { Context } from './context.ts';
import { putAside } from './dead-requests.ts';
import { type Handler, refusal } from './requests/handler.ts';

const retryPauseMs = 200;

/**
 * Has the handler of a kind answer requests. Trouble that is the database's is waited out until the deadline;
 * nothing is known then, and nothing is claimed. Trouble that is one request's own hits that one alone: it is
 * put aside, its client gets FAILURE, and the others of its batch are answered as if it had not been there.
 *
 * @param deadline milliseconds since the epoch, by Redis's clock
 * @returns an outcome a request; undefined where it is not known what became of it
 */
export async function runBatch<K extends RequestKind>(
  context: Context,
  kind: K,
  handler: Handler<K>,
  batch: readonly CoreRequest<K>[],
  deadline: number,
): Promise<(Outcome<K> | undefined)[]> {
  for (;;) {
    const epoch = context.db.epoch.current;
    try {
      const outcomes = await handler.run(context, batch as never);
      // Of two histories: run again, all of it in the new one.
      if (context.db.epoch.current === epoch) return outcomes;
      if (context.clock.now() > deadline) return batch.map(() => undefined);
    } catch (error) {
      context.metrics.batchFailed(kind);
      context.log.error({ kind, requests: batch.length, err: error }, 'batch failed');
      if (!isInfrastructureError(error)) break;
      if (context.clock.now() + retryPauseMs > deadline) return batch.map(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
    }
  }
  if (batch.length === 1) {
    putAside(context, batch[0] as CoreRequest, 'its handler failed');
    return [refusal('internalError')];
  }
  const outcomes: (Outcome<K> | undefined)[] = [];
  for (const request of batch) {
    // Once one has no outcome, or the deadline has passed, none that may be its session's next is begun.
    const isOver = outcomes.includes(undefined) || context.clock.now() > deadline;
    if (isOver) outcomes.push(undefined);
    else outcomes.push(...(await runBatch(context, kind, handler, [request], deadline)));
  }
  return outcomes;
}

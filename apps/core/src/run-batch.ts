import type { CoreRequest, Outcome, RequestKind } from '@hooligram/contract';
import { isDeadlineError, isInfrastructureError } from '@hooligram/db';
import type { Context } from './context.ts';
import { giveUp } from './give-up.ts';
import type { Handler } from './requests/handler.ts';

/** A request with the deadline of its entry: milliseconds since the epoch, by Redis's clock. */
export type Due<K extends RequestKind = RequestKind> = CoreRequest<K> & { readonly deadline: number };

const retryPauseMs = 200;

/**
 * Has the handler of a kind answer requests. Trouble that is the database's is waited out until the deadline;
 * nothing is known then, and nothing is claimed. Trouble that is one request's own hits that one alone: it is
 * given up, its client gets FAILURE, and the others of its batch are answered as if it had not been there.
 *
 * @returns an outcome a request; undefined where it is not known what became of it
 */
export async function runBatch<K extends RequestKind>(
  context: Context,
  kind: K,
  handler: Handler<K>,
  batch: readonly Due<K>[],
): Promise<(Outcome<K> | undefined)[]> {
  // A session's requests share a deadline: they are left out together, and none of them overtakes another.
  let due = batch;
  while (due.length > 0) {
    try {
      const outcomes = await handler.run(context, due as never);
      const byRequest = new Map(due.map((request, index) => [request, outcomes[index]]));
      return batch.map((request) => byRequest.get(request));
    } catch (error) {
      context.metrics.batchFailed(kind);
      context.log.error({ kind, requests: due.length, err: error }, 'batch failed');
      const isLate = isDeadlineError(error);
      if (!isLate && !isInfrastructureError(error)) break;
      if (!isLate) await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
      // The one that was late is left out, whatever this process's clock says.
      const passed = isLate ? Math.min(...due.map(({ deadline }) => deadline)) : 0;
      const now = context.clock.now();
      due = due.filter(({ deadline }) => deadline > Math.max(now, passed));
    }
  }
  if (due.length === 0) return batch.map(() => undefined);
  if (due.length === 1) {
    const outcome = await giveUpOne(context, due[0] as unknown as Due);
    return batch.map((request) => (request === due[0] ? (outcome as Outcome<K> | undefined) : undefined));
  }
  return oneByOne(context, kind, handler, batch, due);
}

async function oneByOne<K extends RequestKind>(
  context: Context,
  kind: K,
  handler: Handler<K>,
  batch: readonly Due<K>[],
  due: readonly Due<K>[],
): Promise<(Outcome<K> | undefined)[]> {
  const outcomes = new Map<Due<K>, Outcome<K> | undefined>();
  for (const request of due) {
    // Once one has no outcome, or its deadline has passed, none that may be its session's next is begun.
    const isOver = [...outcomes.values()].includes(undefined) || context.clock.now() > request.deadline;
    outcomes.set(request, isOver ? undefined : (await runBatch(context, kind, handler, [request]))[0]);
  }
  return batch.map((request) => outcomes.get(request));
}

async function giveUpOne(context: Context, request: Due): Promise<Outcome | undefined> {
  const { deadline: _, ...asked } = request;
  return giveUp(context, asked as CoreRequest, 'its handler failed').catch((error: unknown) => {
    context.log.error({ kind: request.kind, err: error }, 'giving a request up failed');
    return undefined;
  });
}

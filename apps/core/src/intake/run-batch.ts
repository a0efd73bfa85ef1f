import type { CoreRequest, Outcome, RequestType } from '@hooligram/contract';
import { isDeadlineError, isInfrastructureError } from '@hooligram/db';
import type { Context } from '../context.ts';
import type { Handler } from '../requests/handler.ts';
import { giveUp } from './give-up.ts';

/** A request with the deadline of its entry: milliseconds since the epoch, by Redis's clock. */
export type Due<K extends RequestType = RequestType> = CoreRequest<K> & { readonly deadline: number };

const retryPauseMs = 200;

/**
 * Has the handler of a type answer requests. Trouble that is the database's is waited out until the deadline;
 * nothing is known then, and nothing is claimed. Trouble that is one request's own hits that one alone: it is
 * given up, its client gets FAILURE, and the others of its batch are answered as if it had not been there.
 *
 * @returns an outcome a request; undefined where it is not known what became of it
 */
export async function runBatch<K extends RequestType>(
  context: Context,
  type: K,
  handler: Handler<K>,
  batch: readonly Due<K>[],
): Promise<(Outcome<K> | undefined)[]> {
  // A session's requests share a deadline: they are left out together, and none of them overtakes another.
  let due = batch;
  while (due.length > 0) {
    const epoch = context.db.epoch.current;
    const { outcomes, passed } = await attempt(context, type, handler, due);
    // What was found in two histories is run again, all of it in the new one.
    if (outcomes && context.db.epoch.current === epoch) return batch.map((request) => outcomes.get(request));
    const now = Math.max(context.clock.now(), passed);
    due = due.filter(({ deadline }) => deadline > now);
  }
  return batch.map(() => undefined);
}

type Attempt<K extends RequestType> = {
  /** Of those that were due; missing if they are to be run again as long as they are due. */
  readonly outcomes?: ReadonlyMap<Due<K>, Outcome<K> | undefined>;
  /** A deadline that has passed, whatever this process's clock says. */
  readonly passed: number;
};

async function attempt<K extends RequestType>(
  context: Context,
  type: K,
  handler: Handler<K>,
  due: readonly Due<K>[],
): Promise<Attempt<K>> {
  try {
    const outcomes = await handler.run(context, due as never);
    return { outcomes: new Map(due.map((request, index) => [request, outcomes[index]])), passed: 0 };
  } catch (error) {
    context.metrics.batchFailed(type);
    context.log.error({ type, requests: due.length, err: error }, 'batch failed');
    if (isDeadlineError(error)) return { passed: Math.min(...due.map(({ deadline }) => deadline)) };
    if (isInfrastructureError(error)) {
      await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
      return { passed: 0 };
    }
  }
  const [first] = due;
  if (due.length > 1 || !first) return { outcomes: await oneByOne(context, type, handler, due), passed: 0 };
  const outcome = await giveUpOne(context, first as unknown as Due);
  return { outcomes: new Map([[first, outcome as Outcome<K> | undefined]]), passed: 0 };
}

async function oneByOne<K extends RequestType>(
  context: Context,
  type: K,
  handler: Handler<K>,
  due: readonly Due<K>[],
): Promise<Map<Due<K>, Outcome<K> | undefined>> {
  const outcomes = new Map<Due<K>, Outcome<K> | undefined>();
  for (const request of due) {
    // Once one has no outcome, or its deadline has passed, none that may be its session's next is begun.
    const isOver = [...outcomes.values()].includes(undefined) || context.clock.now() > request.deadline;
    outcomes.set(request, isOver ? undefined : (await runBatch(context, type, handler, [request]))[0]);
  }
  return outcomes;
}

async function giveUpOne(context: Context, request: Due): Promise<Outcome | undefined> {
  const { deadline: _, ...asked } = request;
  return giveUp(context, asked as CoreRequest, 'its handler failed').catch((error: unknown) => {
    context.log.error({ type: request.type, err: error }, 'giving a request up failed');
    return undefined;
  });
}

import type { CoreRequest, Outcome, RequestType } from '@hooligram/contract';
import { isDeadlineError, isInfrastructureError, isLockTimeout, isStatementTimeout } from '@hooligram/db';
import type { Context } from '../context.ts';
import type { Handler } from '../requests/handler.ts';
import { giveUp, refuseForGood } from './give-up.ts';
import { isForgettable } from './reply.ts';

/** A request with the deadline of its entry: milliseconds since the epoch, by Redis's clock. */
export type DueRequest<K extends RequestType = RequestType> = CoreRequest<K> & { readonly deadline: number };

const retryPauseMs = 200;

/**
 * What became of a batch. The others mean that nothing was done:
 *
 * - `locked`: a row was locked by somebody else for too long.
 * - `slow`: the statement reached its timeout.
 * - `poisoned`: one of several requests makes the handler fail, and it is not known which.
 *
 * `mayBeDone`: an earlier run of it was cut off, so that is not certain.
 */
export type BatchResult<K extends RequestType> =
  | { readonly is: 'done'; readonly outcomes: (Outcome<K> | undefined)[] }
  | { readonly is: 'locked' | 'slow' | 'poisoned'; readonly mayBeDone: boolean };

type AttemptResult<K extends RequestType> = (Outcome<K> | undefined)[] | 'poisoned';

/**
 * Runs the handler of a type on a batch, as a part of the traces of its requests. See `run`. What is refused of it and may be
 * in another core, too, stays refused.
 */
export async function tryBatch<K extends RequestType>(
  context: Context,
  type: K,
  handler: Handler<K>,
  batch: readonly DueRequest<K>[],
): Promise<BatchResult<K>> {
  const { db, traces } = context;
  const epoch = db.epoch.current;
  const result = traces
    ? await traces.batch(type, batch, (traced) => run(context, type, handler, traced))
    : await run(context, type, handler, batch);
  if (result.is !== 'done' || !isForgettable(type) || !batch.some(({ again }) => again)) return result;
  await keepRefusals(context, batch, result.outcomes);
  // Outcomes of two histories of the database do not go together.
  return db.epoch.current === epoch ? result : { is: 'done', outcomes: batch.map(() => undefined) };
}

/** Puts what stands in place of each refusal of a request that was written again; undefined where that cannot be told. */
async function keepRefusals<K extends RequestType>(
  context: Context,
  batch: readonly DueRequest<K>[],
  outcomes: (Outcome<K> | undefined)[],
): Promise<void> {
  const refused = [...batch.entries()].filter(([place, { again }]) => again && outcomes[place]?.ok === false);
  if (refused.length === 0) return;
  try {
    const done = await refuseForGood(
      context,
      refused.map(([, request]) => request as CoreRequest),
    );
    for (const [place, request] of refused) {
      const outcome = done.get(request as CoreRequest);
      if (outcome) outcomes[place] = outcome as Outcome<K>;
    }
  } catch (error) {
    context.log.error({ requests: refused.length, err: error }, 'refusals could not be kept');
    for (const [place] of refused) outcomes[place] = undefined;
  }
}

/**
 * Runs the handler of a type on a batch. While the database is away, the batch is tried again until the deadline; after
 * that the outcomes are not known. What would make one request of the batch wait for another is said at once. A single
 * request that makes its handler fail is given up, and its client gets FAILURE.
 *
 * @returns when done, one outcome per request; undefined where the outcome is not known
 */
async function run<K extends RequestType>(
  context: Context,
  type: K,
  handler: Handler<K>,
  batch: readonly DueRequest<K>[],
): Promise<BatchResult<K>> {
  // A session's requests share a deadline: they are dropped together, and none of them overtakes another.
  let due = batch;
  let mayBeDone = false;
  while (due.length > 0) {
    const epoch = context.db.epoch.current;
    let passed = 0;
    try {
      const outcomes = await attempt(context, type, handler, due);
      if (outcomes === 'poisoned') return { is: outcomes, mayBeDone };
      // Outcomes of two histories of the database do not go together: all requests run again, in the new one.
      if (context.db.epoch.current === epoch) {
        if (due === batch) return { is: 'done', outcomes };
        const outcomeOf = new Map(due.map((request, index) => [request, outcomes[index]]));
        return { is: 'done', outcomes: batch.map((request) => outcomeOf.get(request)) };
      }
      mayBeDone = true;
    } catch (error) {
      if (isLockTimeout(error)) return { is: 'locked', mayBeDone };
      if (isStatementTimeout(error)) return { is: 'slow', mayBeDone };
      // By the database's clock the first deadline has passed, even if not yet by this process's clock.
      if (isDeadlineError(error)) passed = Math.min(...due.map(({ deadline }) => deadline));
      else {
        mayBeDone = true;
        await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
      }
    }
    const now = Math.max(context.clock.now(), passed);
    due = due.filter(({ deadline }) => deadline > now);
  }
  return { is: 'done', outcomes: batch.map(() => undefined) };
}

/** @throws that the deadline has passed, or an outage of the database: any other error is the fault of one request */
async function attempt<K extends RequestType>(
  context: Context,
  type: K,
  handler: Handler<K>,
  due: readonly DueRequest<K>[],
): Promise<AttemptResult<K>> {
  try {
    return await handler.handle(context, due as never);
  } catch (error) {
    context.metrics.batchFailures.inc({ type });
    if (isLockTimeout(error)) context.metrics.lockTimeouts.inc({ type });
    else context.log.error({ type, requests: due.length, err: error }, 'batch failed');
    if (isDeadlineError(error) || isInfrastructureError(error)) throw error;
  }
  const [first] = due;
  if (due.length > 1 || !first) return 'poisoned';
  const outcome = await giveUpOne(context, first as unknown as DueRequest, 'its handler failed');
  return [outcome as Outcome<K> | undefined];
}

/** @returns undefined if it could not be given up: its outcome is not known */
export async function giveUpOne(
  context: Context,
  request: DueRequest,
  reason: string,
): Promise<Outcome | undefined> {
  const { deadline: _, ...withoutDeadline } = request;
  return giveUp(context, withoutDeadline as CoreRequest, reason).catch((error: unknown) => {
    context.log.error({ type: request.type, err: error }, 'request could not be given up');
    return undefined;
  });
}

import type { CoreRequest, Outcome, RequestKind } from '@hooligram/contract';
import { isInfrastructureError } from '@hooligram/db';
import type { Context } from './context.ts';
import { type Asked, type Handler, refusal } from './requests/handler.ts';

/** The requests of one kind in one entry, in the order in which their gateway added them. */
type Run<K extends RequestKind> = {
  /** Milliseconds since the epoch: begin nothing after it. */
  readonly deadline: number;
  readonly requests: readonly CoreRequest<K>[];
  /** Called once, with an outcome a request; undefined where it is not known what became of it. */
  done(outcomes: readonly (Outcome<K> | undefined)[]): void;
};

export type Lane<K extends RequestKind> = {
  push(run: Run<K>): void;
};

const retryPauseMs = 200;

/**
 * Queues the runs of one kind and hands them to its handler, as many together as have gathered while earlier
 * ones were under way: batches are of one when it is quiet, and grow with the load.
 *
 * A run is never split between calls, so that with a concurrency of 1 all requests of a session keep their order.
 */
export function createLane<K extends RequestKind>(kind: K, handler: Handler<K>, context: Context): Lane<K> {
  const queue: Run<K>[] = [];
  let underWay = 0;
  let scheduled = false;

  function pump(): void {
    scheduled = false;
    while (underWay < handler.concurrency && queue.length > 0) {
      underWay += 1;
      void call(take()).finally(() => {
        underWay -= 1;
        pump();
      });
    }
  }

  function take(): Run<K>[] {
    let requests = 0;
    let runs = 0;
    for (const run of queue) {
      if (runs > 0 && requests + run.requests.length > handler.batchMax) break;
      requests += run.requests.length;
      runs += 1;
    }
    return queue.splice(0, runs);
  }

  async function call(taken: readonly Run<K>[]): Promise<void> {
    const now = Date.now();
    const runs: Run<K>[] = [];
    for (const run of taken) {
      if (run.deadline < now) run.done(run.requests.map(() => refusal('serverBusy')));
      else runs.push(run);
    }
    const batch = runs.flatMap(({ requests }) => requests as readonly Asked<K>[]);
    if (batch.length === 0) return;
    const end = context.metrics.startBatch(kind, batch.length);
    const outcomes = await outcomesOf(batch, Math.min(...runs.map(({ deadline }) => deadline)));
    end();
    let first = 0;
    for (const run of runs) {
      run.done(outcomes.slice(first, first + run.requests.length));
      first += run.requests.length;
    }
  }

  /**
   * Trouble that is the database's is waited out until the deadline; nothing is known then, and nothing is
   * claimed. Trouble that is one request's own hits that one alone.
   */
  async function outcomesOf(
    batch: readonly Asked<K>[],
    deadline: number,
  ): Promise<(Outcome<K> | undefined)[]> {
    for (;;) {
      try {
        return await handler.run(context, batch);
      } catch (error) {
        context.metrics.batchFailed(kind);
        context.log.error({ kind, requests: batch.length, err: error }, 'batch failed');
        if (!isInfrastructureError(error))
          return batch.length === 1 ? [refusal('serverBusy')] : oneByOne(batch, deadline);
        if (Date.now() + retryPauseMs > deadline) return batch.map(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
      }
    }
  }

  async function oneByOne(batch: readonly Asked<K>[], deadline: number): Promise<(Outcome<K> | undefined)[]> {
    const outcomes: (Outcome<K> | undefined)[] = [];
    for (const asked of batch) outcomes.push(...(await outcomesOf([asked], deadline)));
    return outcomes;
  }

  return {
    push(run) {
      queue.push(run);
      if (scheduled) return;
      scheduled = true;
      // Behind all entries of one read, so that they share a batch.
      queueMicrotask(pump);
    },
  };
}

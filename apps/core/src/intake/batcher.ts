import type { CoreRequest, Outcome, RequestType } from '@hooligram/contract';
import type { Context } from '../context.ts';
import type { Handler } from '../requests/handler.ts';
import { type Due, runBatch } from './run-batch.ts';

/** Less than this before its deadline a batch is not begun: its statement would find the deadline passed. */
const beginsBeforeMs = 100;

/** The requests of one type in one entry, in the order in which their gateway added them. */
type Run<K extends RequestType> = {
  /** Milliseconds since the epoch, by Redis's clock: begin nothing after it. */
  readonly deadline: number;
  readonly requests: readonly CoreRequest<K>[];
  /**
   * Called once, with an outcome a request; undefined where it is not known what became of it. Without outcomes
   * if it was not begun, because its deadline had passed.
   */
  done(outcomes: readonly (Outcome<K> | undefined)[] | 'expired'): void;
};

export type Lane<K extends RequestType> = {
  push(run: Run<K>): void;
};

/**
 * Queues the runs of one type and hands them to its handler, as many together as have gathered while earlier
 * ones were under way: batches are of one when it is quiet, and grow with the load.
 *
 * A run is never split between calls, so that with a concurrency of 1 all requests of a session keep their order.
 */
export function createLane<K extends RequestType>(type: K, handler: Handler<K>, context: Context): Lane<K> {
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
    const now = context.clock.now() + beginsBeforeMs;
    const runs: Run<K>[] = [];
    for (const run of taken) {
      if (run.deadline < now) run.done('expired');
      else runs.push(run);
    }
    const batch = runs.flatMap(({ requests, deadline }) =>
      requests.map((request) => ({ ...request, deadline }) as Due<K>),
    );
    if (batch.length === 0) return;
    const end = context.metrics.startBatch(type, batch.length);
    const outcomes = await runBatch(context, type, handler, batch);
    end();
    let first = 0;
    for (const run of runs) {
      run.done(outcomes.slice(first, first + run.requests.length));
      first += run.requests.length;
    }
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

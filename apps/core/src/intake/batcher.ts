import type { CoreRequest, Outcome, RequestType } from '@hooligram/contract';
import type { Context } from '../context.ts';
import type { Handler } from '../requests/handler.ts';
import { type DueRequest, runBatch } from './run-batch.ts';

/** A batch is not begun less than this before its deadline: its statement would find the deadline passed. */
const beginsBeforeMs = 100;

/** Requests of one type in one entry, in the order in which their gateway added them. */
type EntryRequests<K extends RequestType> = {
  /** Milliseconds since the epoch, by Redis's clock: no request is begun after it. */
  readonly deadline: number;
  readonly requests: readonly CoreRequest<K>[];
  /**
   * Called once, with one outcome per request; undefined where the outcome is not known. `expired` if no request was
   * begun because the deadline had passed.
   */
  onDone(outcomes: readonly (Outcome<K> | undefined)[] | 'expired'): void;
};

/**
 * Queues the requests of one type and hands them to its handler in batches. A batch is what has gathered while earlier
 * batches were in progress: batches are of one request when there is little load, and grow with it.
 *
 * The requests of one entry are never split between batches, so with a concurrency of 1 all requests of a session keep
 * their order.
 */
export class Batcher<K extends RequestType> {
  readonly #context: Context;
  readonly #type: K;
  readonly #handler: Handler<K>;
  readonly #queue: EntryRequests<K>[] = [];
  #batchesInProgress = 0;
  #isScheduled = false;

  constructor(context: Context, type: K, handler: Handler<K>) {
    this.#context = context;
    this.#type = type;
    this.#handler = handler;
  }

  enqueue(requests: EntryRequests<K>): void {
    this.#queue.push(requests);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // After all entries of one read have been queued, so that they share a batch.
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#startBatches();
    });
  }

  #startBatches(): void {
    while (this.#batchesInProgress < this.#handler.concurrency && this.#queue.length > 0) {
      this.#batchesInProgress += 1;
      void this.#run(this.#dequeueBatch()).finally(() => {
        this.#batchesInProgress -= 1;
        this.#startBatches();
      });
    }
  }

  #dequeueBatch(): EntryRequests<K>[] {
    let size = 0;
    let entries = 0;
    for (const { requests } of this.#queue) {
      if (entries > 0 && size + requests.length > this.#handler.batchMax) break;
      size += requests.length;
      entries += 1;
    }
    return this.#queue.splice(0, entries);
  }

  async #run(dequeued: readonly EntryRequests<K>[]): Promise<void> {
    const { clock, metrics } = this.#context;
    const earliest = clock.now() + beginsBeforeMs;
    const inTime: EntryRequests<K>[] = [];
    for (const part of dequeued) {
      if (part.deadline < earliest) part.onDone('expired');
      else inTime.push(part);
    }
    const batch = inTime.flatMap(({ requests, deadline }) =>
      requests.map((request) => ({ ...request, deadline }) as DueRequest<K>),
    );
    if (batch.length === 0) return;
    metrics.batchSize.observe({ type: this.#type }, batch.length);
    const endTimer = metrics.batchSeconds.startTimer({ type: this.#type });
    const outcomes = await runBatch(this.#context, this.#type, this.#handler, batch);
    endTimer();
    let first = 0;
    for (const { requests, onDone } of inTime) {
      onDone(outcomes.slice(first, first + requests.length));
      first += requests.length;
    }
  }
}

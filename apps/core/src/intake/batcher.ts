import type { Outcome, RequestType } from '@hooligram/contract';
import type { Context } from '../context.ts';
import { type Handler, refusal } from '../requests/handler.ts';
import { type Burst, isAnonymous } from './bursts.ts';
import { type DueRequest, runBatch } from './run-batch.ts';
import { Turns } from './turns.ts';

/** A batch is not begun less than this before its deadline: its statement would find the deadline passed. */
const beginsBeforeMs = 100;

/**
 * Called once per burst, with one outcome per request; undefined where the outcome is not known. `expired` if no
 * request was begun because the deadline had passed.
 */
export type OnDone<K extends RequestType> = (
  burst: Burst<K>,
  outcomes: readonly (Outcome<K> | undefined)[] | 'expired',
) => void;

/**
 * Queues the requests of one type and hands them to its handler in batches. A batch is what has gathered while earlier
 * batches were in progress: batches are of one request when there is little load, and grow with it. What does not fit
 * into a batch is taken by turns of users, so that nobody waits behind all requests of another one.
 *
 * A burst is never split between batches, so with a concurrency of 1 all requests of a session keep their order. With
 * a higher one, a user has requests in one batch at a time.
 */
export class Batcher<K extends RequestType> {
  readonly #context: Context;
  readonly #type: K;
  readonly #handler: Handler<K>;
  readonly #onDone: OnDone<K>;
  readonly #turns: Turns<Burst<K>>;
  /** Most requests that wait. */
  readonly #waitingMax: number;
  #batchesInProgress = 0;
  #isScheduled = false;

  constructor(context: Context, type: K, handler: Handler<K>, onDone: OnDone<K>) {
    this.#context = context;
    this.#type = type;
    this.#handler = handler;
    this.#onDone = onDone;
    this.#turns = new Turns((owner) => handler.concurrency > 1 && typeof owner === 'number');
    this.#waitingMax = isAnonymous(type) ? context.config.ANONYMOUS_REQUESTS_MAX : Number.POSITIVE_INFINITY;
  }

  enqueue(burst: Burst<K>): void {
    if (this.#turns.requests >= this.#waitingMax) {
      this.#context.metrics.anonymousRefused.inc({ type: this.#type });
      this.#onDone(
        burst,
        burst.requests.map(() => refusal('serverBusy')),
      );
      return;
    }
    this.#turns.add(burst);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // After all entries of one read have been queued, so that they share a batch.
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#startBatches();
    });
  }

  #startBatches(): void {
    while (this.#batchesInProgress < this.#handler.concurrency && this.#turns.isReady) {
      this.#batchesInProgress += 1;
      const bursts = this.#turns.take(this.#handler.batchMax);
      void this.#run(bursts).finally(() => {
        this.#batchesInProgress -= 1;
        this.#turns.release(bursts);
        this.#startBatches();
      });
    }
    this.#context.metrics.ownersWaiting.set({ type: this.#type }, this.#turns.owners);
  }

  async #run(bursts: readonly Burst<K>[]): Promise<void> {
    const { metrics } = this.#context;
    const inTime = this.#inTime(bursts);
    const batch = inTime.flatMap(dueRequests);
    if (batch.length === 0) return;
    metrics.batchSize.observe({ type: this.#type }, batch.length);
    const endTimer = metrics.batchSeconds.startTimer({ type: this.#type });
    const outcomes = await runBatch(this.#context, this.#type, this.#handler, batch);
    endTimer();
    let first = 0;
    for (const burst of inTime) {
      const { length } = burst.requests;
      this.#onDone(burst, outcomes.slice(first, first + length));
      first += length;
    }
  }

  #inTime(bursts: readonly Burst<K>[]): Burst<K>[] {
    const earliest = this.#context.clock.now() + beginsBeforeMs;
    return bursts.filter((burst) => {
      const isInTime = burst.deadline >= earliest;
      if (!isInTime) this.#onDone(burst, 'expired');
      return isInTime;
    });
  }
}

function dueRequests<K extends RequestType>({ requests, deadline }: Burst<K>): DueRequest<K>[] {
  return requests.map((request) => ({ ...request, deadline }) as DueRequest<K>);
}

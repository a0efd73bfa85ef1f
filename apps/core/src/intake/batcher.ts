import type { RequestType } from '@hooligram/contract';
import type { Context } from '../context.ts';
import { type Handler, refusal } from '../requests/handler.ts';
import {
  type Burst,
  divideOutcomes,
  dueRequests,
  isAnonymous,
  type OnDone,
  unknownOrExpired,
} from './bursts.ts';
import { type BatchResult, tryBatch } from './run-batch.ts';
import { Turns } from './turns.ts';
import { Waiters } from './waiters.ts';

/** A batch is not begun less than this before its deadline: its statement would find the deadline passed. */
const beginsBeforeMs = 100;

/** So often a batch is tried whose rows were locked by somebody who has finished since. */
const lockedTriesMax = 3;

/** So many batches are begun in one turn of the event loop: each is some work before it waits for anything. */
const begunAtOnce = 16;

/**
 * Queues the requests of one type and hands them to its handler in batches. A batch is what has gathered while earlier
 * batches were in progress: batches are of one request when there is little load, and grow with it. What does not fit
 * into a batch is taken by turns of users, so that nobody waits behind all requests of another one. What would make a
 * batch wait for somebody's row waits by itself: see `Waiters`.
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
  readonly #waiters: Waiters<K>;
  /** Most requests that wait. */
  readonly #waitingMax: number;
  #batchesInProgress = 0;
  #isScheduled = false;
  #begunThisTurn = 0;
  #ownersTold = 0;

  constructor(context: Context, type: K, handler: Handler<K>, onDone: OnDone<K>) {
    this.#context = context;
    this.#type = type;
    this.#handler = handler;
    this.#onDone = onDone;
    this.#turns = new Turns((owner) => placesOf(handler, owner));
    this.#waiters = new Waiters(context, type, handler, onDone);
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
      if (!this.#mayBegin()) break;
      this.#batchesInProgress += 1;
      const bursts = this.#turns.take(this.#handler.batchMax);
      void this.#run(bursts).finally(() => {
        this.#batchesInProgress -= 1;
        this.#turns.release(bursts);
        this.#startBatches();
      });
    }
    this.#tellOwners();
  }

  /** Two batchers may have the same type. */
  #tellOwners(): void {
    const more = this.#turns.owners - this.#ownersTold;
    if (more === 0) return;
    this.#ownersTold += more;
    this.#context.metrics.ownersWaiting.inc({ type: this.#type }, more);
  }

  /** Whether one more batch may be begun in this turn of the event loop; else it is begun in a later one. */
  #mayBegin(): boolean {
    if (this.#handler.concurrency <= begunAtOnce) return true;
    if (this.#begunThisTurn === 0) {
      setImmediate(() => {
        this.#begunThisTurn = 0;
        this.#startBatches();
      });
    }
    if (this.#begunThisTurn === begunAtOnce) return false;
    this.#begunThisTurn += 1;
    return true;
  }

  async #run(bursts: readonly Burst<K>[]): Promise<void> {
    const { metrics } = this.#context;
    let left = this.#inTime(bursts).filter((burst) => !this.#waiters.accept(burst));
    for (let lockedTries = 0; left.length > 0; ) {
      const result = await this.#handle(left);
      if (result.is === 'done') {
        divideOutcomes(left, result.outcomes, this.#onDone);
        return;
      }
      if (result.mayBeDone) for (const burst of left) burst.mayBeDone = true;
      if (result.is === 'slow') metrics.batchesSplit.inc({ type: this.#type });
      lockedTries += result.is === 'locked' ? 1 : 0;
      const [free, waiting] =
        result.is === 'locked' ? await this.#withoutLocked(left, lockedTries) : [[], left];
      this.#waiters.add(waiting, result.is);
      left = this.#inTime(free);
    }
  }

  async #handle(bursts: readonly Burst<K>[]): Promise<BatchResult<K>> {
    const { metrics } = this.#context;
    const batch = bursts.flatMap(dueRequests);
    metrics.batchSize(this.#type).observe(batch.length);
    const begunAt = performance.now();
    const result = await tryBatch(this.#context, this.#type, this.#handler, batch);
    metrics.batchSeconds(this.#type).observe((performance.now() - begunAt) / 1_000);
    return result;
  }

  /**
   * Which of these bursts can go on, and which ones wait. If that cannot be told, each waits by itself; a lock that is gone
   * again was that of another batch, and they are tried together again, not for ever.
   */
  async #withoutLocked(bursts: Burst<K>[], tries: number): Promise<[free: Burst<K>[], waiting: Burst<K>[]]> {
    const { rowOf, lockedRows } = this.#handler;
    if (!rowOf || !lockedRows || bursts.length === 1) return [[], bursts];
    const rows = bursts.flatMap(({ requests }) => requests.map(({ params }) => rowOf(params as never)));
    const locked = await lockedRows(this.#context, rows).catch(() => undefined);
    if (locked?.size === 0 && tries < lockedTriesMax) return [bursts, []];
    if (!locked || locked.size === 0) return [[], bursts];
    const isLocked = ({ requests }: Burst<K>) =>
      requests.some(({ params }) => locked.has(rowOf(params as never)));
    return [bursts.filter((burst) => !isLocked(burst)), bursts.filter(isLocked)];
  }

  #inTime(bursts: readonly Burst<K>[]): Burst<K>[] {
    const earliest = this.#context.clock.now() + beginsBeforeMs;
    return bursts.filter((burst) => {
      const isInTime = burst.deadline >= earliest;
      if (!isInTime) this.#onDone(burst, unknownOrExpired(burst));
      return isInTime;
    });
  }
}

/** How many bursts of an owner may be in progress at once. */
function placesOf(
  { concurrency, sourceMax }: Pick<Handler<RequestType>, 'concurrency' | 'sourceMax'>,
  owner: number | string,
) {
  if (typeof owner === 'string') return sourceMax ?? Number.POSITIVE_INFINITY;
  return concurrency > 1 ? 1 : Number.POSITIVE_INFINITY;
}

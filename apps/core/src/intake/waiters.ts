import type { CoreRequest, Outcome, RequestType } from '@hooligram/contract';
import type { Context } from '../context.ts';
import type { Handler } from '../requests/handler.ts';
import { type Burst, divideOutcomes, dueRequests, type OnDone, unknownOrExpired } from './bursts.ts';
import { giveUpOne, tryBatch } from './run-batch.ts';

/** How many waiters may be tried at once: a slow one leaves room for the others. */
const triedAtOnce = 3;
/** After a row was locked, it is left alone for so long. */
const pauseMs = 100;
/** Runs of a request alone that end by the statement's timeout: after them, it is given up. */
const timeoutsMax = 2;
/** After a timeout, or while it was locked, the requests of a row keep out of batches for so long, unless one succeeds. */
const suspectMs = 60_000;
/** A suspect row of which nothing came is forgotten so long after that. */
const forgetAfterMs = 1_000;
/** How many requests, timed out once, are remembered: a repetition of one counts as its second run. */
const timeoutsKept = 1_000;

/** The bursts that wait for one row, or one burst that waits by itself. */
type Waiter<K extends RequestType> = {
  readonly rows: ReadonlySet<number>;
  readonly bursts: Burst<K>[];
  since: number;
  /** Its requests run one by one, and these are the outcomes of the first burst so far, all of one epoch. */
  isOneByOne: boolean;
  outcomes: (Outcome<K> | undefined)[];
  epoch: number;
  suspectUntil: number;
};

/**
 * Runs what cannot be in a batch without making others wait: requests whose row is locked by somebody else, those of a
 * batch that reached the statement's timeout, and those of one that a request of it makes fail. Each row waits by itself,
 * and so does a burst that needs several: any of them may be the one that is locked, and the others are free for everybody
 * else. A few are tried at a time, of such bursts one, with a pause after a locked one, until their deadlines. Later requests of a row that
 * waits are queued behind it, and keep their order.
 *
 * A request that reaches the timeout alone is tried once more, and then given up.
 */
export class Waiters<K extends RequestType> {
  readonly #context: Context;
  readonly #type: K;
  readonly #handler: Handler<K>;
  readonly #onDone: OnDone<K>;
  readonly #rows = new Map<number, Waiter<K>>();
  readonly #ready: Waiter<K>[] = [];
  /** Those that need several rows. Many may wait for the same one: they must not take all places. */
  readonly #readyOfSeveral: Waiter<K>[] = [];
  #isOfSeveralTried = false;
  readonly #timeouts = new Map<string, number>();
  #inProgress = 0;
  #requests = 0;

  constructor(context: Context, type: K, handler: Handler<K>, onDone: OnDone<K>) {
    this.#context = context;
    this.#type = type;
    this.#handler = handler;
    this.#onDone = onDone;
  }

  /** Takes a burst if a row of it is known to be locked or slow. */
  accept(burst: Burst<K>): boolean {
    if (this.#rows.size === 0) return false;
    const rows = this.#rowsOf(burst);
    const waiter = this.#waiterOf(rows);
    if (!waiter) return false;
    this.#push(rows.size === 1 ? waiter : this.#create(rows), burst);
    return true;
  }

  /** @param why `slow`: their batch has reached the statement's timeout; it counts for one that was alone in it */
  add(bursts: readonly Burst<K>[], why: 'locked' | 'slow' | 'poisoned'): void {
    const [first] = bursts;
    const isAlone = bursts.length === 1 && first?.requests.length === 1;
    if (why === 'slow' && isAlone) this.#countTimeout(first.requests[0] as CoreRequest<K>);
    for (const burst of bursts) {
      const rows = this.#rowsOf(burst);
      const waiter = (rows.size === 1 ? this.#waiterOf(rows) : undefined) ?? this.#create(rows);
      if (why === 'slow' && isAlone) this.#suspect(waiter);
      this.#push(waiter, burst);
    }
  }

  #rowsOf({ requests }: Burst<K>): ReadonlySet<number> {
    const { rowOf } = this.#handler;
    return new Set(rowOf && requests.map(({ params }) => rowOf(params as never)));
  }

  #waiterOf(rows: ReadonlySet<number>): Waiter<K> | undefined {
    for (const row of rows) {
      const waiter = this.#rows.get(row);
      if (!waiter) continue;
      if (waiter.bursts.length > 0 || waiter.suspectUntil > Date.now()) return waiter;
      this.#rows.delete(row);
    }
    return undefined;
  }

  /** For one row; for one burst alone if it needs several, or none. */
  #create(rows: ReadonlySet<number>): Waiter<K> {
    const [row] = rows.size === 1 ? rows : [];
    const waiter: Waiter<K> = {
      rows,
      bursts: [],
      since: 0,
      isOneByOne: false,
      outcomes: [],
      epoch: 0,
      suspectUntil: 0,
    };
    if (row !== undefined) this.#rows.set(row, waiter);
    return waiter;
  }

  #push(waiter: Waiter<K>, burst: Burst<K>): void {
    if (this.#requests + burst.requests.length > this.#context.config.CORE_WAITING_MAX) {
      this.#onDone(burst, unknownOrExpired(burst));
      return;
    }
    this.#requests += burst.requests.length;
    // Requests of one type may wait in two places: those behind gaps, and others.
    this.#context.metrics.requestsWaiting.inc({ type: this.#type }, burst.requests.length);
    // One that has a burst is in progress, paused or ready.
    if (waiter.bursts.push(burst) > 1) return;
    waiter.since = Date.now();
    this.#makeReady(waiter);
  }

  #makeReady(waiter: Waiter<K>): void {
    this.#readyLike(waiter).push(waiter);
    this.#start();
  }

  #readyLike({ rows }: Waiter<K>): Waiter<K>[] {
    return rows.size > 1 ? this.#readyOfSeveral : this.#ready;
  }

  #start(): void {
    while (this.#inProgress < triedAtOnce) {
      const ofSeveral = this.#isOfSeveralTried ? undefined : this.#readyOfSeveral.shift();
      const waiter = ofSeveral ?? this.#ready.shift();
      if (!waiter) return;
      if (ofSeveral) this.#isOfSeveralTried = true;
      this.#inProgress += 1;
      void this.#try(waiter).then((isLocked) => {
        this.#inProgress -= 1;
        if (ofSeveral) this.#isOfSeveralTried = false;
        if (waiter.bursts.length === 0) this.#end(waiter);
        else if (isLocked) setTimeout(() => this.#makeReady(waiter), pauseMs);
        else this.#readyLike(waiter).push(waiter);
        this.#start();
      });
    }
  }

  #end(waiter: Waiter<K>): void {
    const { metrics } = this.#context;
    metrics.waitSeconds.observe({ type: this.#type }, (Date.now() - waiter.since) / 1_000);
    waiter.isOneByOne = false;
    if (waiter.suspectUntil === 0) this.#forget(waiter);
    // Later requests of the row may never come.
    else setTimeout(() => this.#forget(waiter), suspectMs + forgetAfterMs).unref();
  }

  /** Unless it waits again, or is suspect again. */
  #forget(waiter: Waiter<K>): void {
    if (waiter.bursts.length > 0 || waiter.suspectUntil > Date.now()) return;
    for (const row of waiter.rows) if (this.#rows.get(row) === waiter) this.#rows.delete(row);
  }

  /** @returns whether it is locked */
  async #try(waiter: Waiter<K>): Promise<boolean> {
    this.#expire(waiter);
    const [first] = waiter.bursts;
    if (!first) return false;
    return waiter.isOneByOne ? this.#tryRequest(waiter, first) : this.#tryBursts(waiter);
  }

  #expire(waiter: Waiter<K>): void {
    const now = this.#context.clock.now();
    for (const burst of waiter.bursts.filter(({ deadline }) => deadline <= now)) {
      const isFirst = burst === waiter.bursts[0];
      waiter.bursts.splice(waiter.bursts.indexOf(burst), 1);
      if (isFirst && waiter.outcomes.length > 0) this.#settleFirst(waiter, burst);
      else this.#settle(burst, unknownOrExpired(burst));
    }
  }

  async #tryBursts(waiter: Waiter<K>): Promise<boolean> {
    const bursts = leading(waiter.bursts, this.#handler.batchMax);
    const batch = bursts.flatMap(dueRequests);
    const result = await tryBatch(this.#context, this.#type, this.#handler, batch);
    if (result.is === 'done') {
      waiter.bursts.splice(0, bursts.length);
      this.#trust(waiter);
      divideOutcomes(bursts, result.outcomes, (burst, outcomes) => this.#settle(burst, outcomes));
      return false;
    }
    if (result.mayBeDone) for (const burst of bursts) burst.mayBeDone = true;
    if (result.is === 'poisoned') waiter.isOneByOne = true;
    else if (result.is === 'slow') {
      if (batch.length === 1) this.#countTimeout(batch[0] as CoreRequest<K>);
      waiter.isOneByOne = true;
      this.#suspect(waiter);
    }
    if (result.is === 'locked') this.#suspect(waiter);
    return result.is === 'locked';
  }

  /** Runs the next request of the first burst. */
  async #tryRequest(waiter: Waiter<K>, first: Burst<K>): Promise<boolean> {
    const { current } = this.#context.db.epoch;
    // Outcomes of two histories of the database do not go together: the burst runs again, in the new one.
    if (waiter.epoch !== current) {
      if (waiter.outcomes.length > 0) first.mayBeDone = true;
      waiter.outcomes = [];
      waiter.epoch = current;
    }
    const request = dueRequests(first)[waiter.outcomes.length];
    if (!request) return false;
    if (this.#timeoutsOf(request) < timeoutsMax) {
      const result = await tryBatch(this.#context, this.#type, this.#handler, [request]);
      if (result.is === 'done') {
        this.#trust(waiter);
        this.#addOutcome(waiter, first, result.outcomes[0]);
        return false;
      }
      if (result.mayBeDone) first.mayBeDone = true;
      this.#suspect(waiter);
      if (result.is === 'locked') return true;
      this.#countTimeout(request);
      if (this.#timeoutsOf(request) < timeoutsMax) return false;
    }
    const outcome = await giveUpOne(this.#context, request as never, 'it reached the timeout of a statement');
    this.#addOutcome(waiter, first, outcome as Outcome<K> | undefined);
    return false;
  }

  /** After a request without an outcome, none is begun that may be its session's next. */
  #addOutcome(waiter: Waiter<K>, first: Burst<K>, outcome: Outcome<K> | undefined): void {
    if (waiter.epoch !== this.#context.db.epoch.current) return;
    waiter.outcomes.push(outcome);
    if (outcome !== undefined && waiter.outcomes.length < first.requests.length) return;
    waiter.bursts.shift();
    this.#settleFirst(waiter, first);
  }

  #settleFirst(waiter: Waiter<K>, first: Burst<K>): void {
    const outcomes = waiter.epoch === this.#context.db.epoch.current ? waiter.outcomes : [];
    waiter.outcomes = [];
    this.#settle(
      first,
      first.requests.map((_, index) => outcomes[index]),
    );
  }

  #settle(burst: Burst<K>, outcomes: Parameters<OnDone<K>>[1]): void {
    this.#requests -= burst.requests.length;
    this.#context.metrics.requestsWaiting.inc({ type: this.#type }, -burst.requests.length);
    this.#onDone(burst, outcomes);
  }

  #suspect(waiter: Waiter<K>): void {
    waiter.suspectUntil = Date.now() + suspectMs;
  }

  /** Something that needs its rows has just succeeded. */
  #trust(waiter: Waiter<K>): void {
    waiter.suspectUntil = 0;
    for (const row of waiter.rows) {
      const ofRow = this.#rows.get(row);
      if (ofRow) ofRow.suspectUntil = 0;
    }
  }

  #timeoutsOf({ request_id }: CoreRequest<K>): number {
    return this.#timeouts.get(request_id) ?? 0;
  }

  #countTimeout(request: CoreRequest<K>): void {
    this.#timeouts.set(request.request_id, this.#timeoutsOf(request) + 1);
    const [oldest] = this.#timeouts.keys();
    if (oldest !== undefined && this.#timeouts.size > timeoutsKept) this.#timeouts.delete(oldest);
  }
}

/** The first ones that have at most `max` requests together; at least one. */
function leading<K extends RequestType>(bursts: readonly Burst<K>[], max: number): Burst<K>[] {
  let size = 0;
  const end = bursts.findIndex(({ requests }, index) => {
    size += requests.length;
    return index > 0 && size > max;
  });
  return bursts.slice(0, end === -1 ? bursts.length : end);
}

import { type Entry, reasonOf } from '@hooligram/bus';
import type { CoreRequest, Outcome, RequestType } from '@hooligram/contract';
import { boundedDb } from '@hooligram/db';
import type { Context } from '../context.ts';
import { countOutcome } from '../metrics.ts';
import { handlerOf, requestTypes } from '../requests/index.ts';
import { gapPageHandler, isGapPage } from '../requests/replay-page.ts';
import type { EntryDeadlines, Shard } from '../shards/shard.ts';
import { Batcher } from './batcher.ts';
import { type Burst, burstsOf, isOfThoseWhoComeBack, type OnDone, type OpenEntry } from './bursts.ts';
import { readRequests } from './read-requests.ts';
import { reply } from './reply.ts';

const schedulingPauseMs = 500;

/** Pages behind gaps have batches of their own, so that they do not wait for a place while large replays rest. */
type BatcherKey = RequestType | 'gap';

function batcherKeyOf(request: CoreRequest): BatcherKey {
  return isGapPage(request) ? 'gap' : request.type;
}

/** The Redis from which entries come. */
export type EntrySource = Pick<Shard, 'index' | 'clock'> & {
  readonly deadlines: EntryDeadlines;
  /** Gives an entry to other cores: one of them may know what this one does not. */
  leaveUnknown(id: string, deadline: number): void;
};

/**
 * Divides entries by type of request, and replies to and acknowledges each entry when all of its requests have their
 * outcome. Types do not wait for each other: a session never has requests of two types in progress.
 */
export class Intake {
  readonly #context: Context;
  readonly #batchers: ReadonlyMap<BatcherKey, Batcher<RequestType>>;
  /** By the Redis from which they came. */
  readonly #entryIds: Set<string>[] = [];
  #requestsOpen = 0;
  /** How many entries have their outcomes, and wait for their delivery checks. */
  #finishing = 0;
  #isEnding = false;
  #waiters: (() => void)[] = [];

  constructor(context: Context) {
    this.#context = context;
    const onDone: OnDone<RequestType> = (burst, outcomes) => this.#reply(burst, outcomes);
    const { db, config } = context;
    const verification = { ...context, db: boundedDb(db, config.ANONYMOUS_DATABASE_MAX) };
    const catchingUp = { ...context, db: boundedDb(db, config.CATCH_UP_DATABASE_MAX) };
    // Their statements may be long: one at a time leaves the other places to sign-ins and pages.
    const readingStates = { ...context, db: boundedDb(catchingUp.db, 1) };
    const contextOf = (type: RequestType) => {
      if (type.startsWith('VERIFICATION_')) return verification;
      if (type === 'GROUP_STATES') return readingStates;
      return isOfThoseWhoComeBack(type) ? catchingUp : context;
    };
    const batchers = new Map<BatcherKey, Batcher<RequestType>>(
      requestTypes.map((type) => [type, new Batcher(contextOf(type), type, handlerOf(type), onDone)]),
    );
    batchers.set('gap', new Batcher<RequestType>(catchingUp, 'REPLAY_PAGE', gapPageHandler, onDone));
    this.#batchers = batchers;
  }

  /** Resolves when there is room for more requests. */
  room(): Promise<void> {
    return this.#until(() => this.#requestsOpen < this.#context.config.CORE_REQUESTS_MAX);
  }

  /** The ids of the entries of a Redis that are in progress here, those that wait to leave it too. */
  entryIds(shard: number): string[] {
    return [...this.#idsOf(shard), ...this.#context.publisher.leaving(shard)];
  }

  /** Resolves when everything that was accepted has its reply. */
  async idle(): Promise<void> {
    this.#isEnding = true;
    await this.#until(() => this.#requestsOpen === 0 && this.#finishing === 0);
    await this.#context.publisher.flushed();
  }

  accept({ id, node, deadline, requests: given }: Entry<unknown>, source: EntrySource): void {
    const { index: shard, clock, deadlines } = source;
    const failuresBefore = this.#context.publisher.failures(shard);
    // All fields at once: V8 makes a copy of an object with further ones as a table, of 1,540 bytes.
    const entry: OpenEntry = {
      id,
      node,
      shard,
      deadline: deadlines.of(deadline),
      requestsOpen: 0,
      areOutcomesKnown: true,
      failuresBefore,
      leave: undefined,
    };
    const read = readRequests(this.#context, entry, given);
    if (read.isUnknown) entry.leave = () => source.leaveUnknown(id, deadline);
    const requests = read.requests.map(([, request]) => request);
    entry.requestsOpen = requests.length;
    const { metrics } = this.#context;
    metrics.entryAgeSeconds.observe(Math.max(0, clock.now() - Number.parseInt(id, 10)) / 1_000);
    this.#requestsOpen += requests.length;
    this.#idsOf(shard).add(id);
    if (requests.length === 0) void this.#finish(entry);
    for (const burst of burstsOf(entry, requests)) {
      this.#batchers.get(batcherKeyOf(burst.requests[0] as CoreRequest))?.enqueue(burst);
    }
  }

  #reply({ entry, requests }: Burst, outcomes: readonly (Outcome | undefined)[] | 'expired'): void {
    for (const [index, request] of requests.entries()) {
      // An expired request gets no reply: its gateway may have written it again, and that one may still run.
      const outcome = outcomes === 'expired' ? outcomes : outcomes[index];
      countOutcome(this.#context.metrics, request.type, outcome);
      if (outcome === undefined) entry.areOutcomesKnown = false;
      else if (outcome !== 'expired') reply(this.#context, entry, request, outcome);
    }
    entry.requestsOpen -= requests.length;
    if (entry.requestsOpen === 0) void this.#finish(entry);
    this.#requestsOpen -= requests.length;
    this.#wake();
  }

  async #finish({ id, shard, areOutcomesKnown, failuresBefore, leave }: OpenEntry): Promise<void> {
    this.#finishing += 1;
    try {
      const areScheduled = await this.#areChecksScheduled();
      // An entry with an unknown outcome stays pending, to be claimed and run again. So does one without its checks.
      if (!areScheduled || !areOutcomesKnown) return;
      if (leave) leave();
      else this.#context.publisher.finish(id, failuresBefore, shard);
    } finally {
      this.#idsOf(shard).delete(id);
      this.#finishing -= 1;
      this.#wake();
    }
  }

  /**
   * Schedules the delivery checks for as long as Redis refuses them. The entry stays with this process meanwhile: another
   * core would find no more to do.
   *
   * @returns false if this process is to end
   */
  async #areChecksScheduled(): Promise<boolean> {
    const { deliveryChecks, log } = this.#context;
    for (;;) {
      try {
        await deliveryChecks.settled();
        return true;
      } catch (error) {
        log.warn(
          { reason: reasonOf(error), see: 'docs/runbook.md#redisaway' },
          'delivery checks could not be scheduled',
        );
        if (this.#isEnding) return false;
        await new Promise((resolve) => setTimeout(resolve, schedulingPauseMs));
      }
    }
  }

  #idsOf(shard: number): Set<string> {
    const ids = this.#entryIds[shard] ?? new Set<string>();
    this.#entryIds[shard] = ids;
    return ids;
  }

  async #until(isReached: () => boolean): Promise<void> {
    while (!isReached()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Something has ended: whoever waits for it looks again. */
  #wake(): void {
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

import type { GatewayMetrics } from '../metrics.ts';
import type { BufferBudget } from './buffer-budget.ts';

/** Pause after a fetch that left a gap, so that a core with an outage is not asked again at once. */
const fetchPauseMs = 500;

/** A message that cannot be published yet. */
type EarlyMessage = { readonly version: number; readonly messageId: number; readonly frame: Uint8Array };

/** What a page of a group brought. */
export type PageOutcome = 'more' | 'all' | 'failed';

/** What closing a gap has to know of its group. */
type GappedFeed = {
  readonly isOpen: boolean;
  /** Undefined until the first read, which brings all that is missing. */
  readonly lastSeq: number | undefined;
  fetchPage(): Promise<PageOutcome>;
};

export type GapDeps = {
  /** How long a gap may close by itself before it is fetched. */
  readonly gapWaitMs: number;
  /** Most messages that wait behind a gap. */
  readonly outOfOrderMax: number;
  /** The bytes of those messages in all groups. */
  readonly outOfOrder: BufferBudget;
  readonly metrics: Pick<GatewayMetrics, 'gapsFetched'>;
};

/**
 * What is missing in a group, and the messages that wait for it: gives it a moment to come by itself, then fetches pages
 * until nothing is missing. What a failed fetch leaves is tried again.
 */
export class Gap {
  readonly #feed: GappedFeed;
  readonly #deps: GapDeps;
  /** Messages that came before one that is missing, or under a state that is not here yet. Undefined while there is none. */
  #outOfOrder: Map<number, EarlyMessage> | undefined;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #isFetching = false;
  /** Something was published, and is neither sent nor in the buffer. */
  #isIncomplete = false;

  constructor(feed: GappedFeed, deps: GapDeps) {
    this.#feed = feed;
    this.#deps = deps;
  }

  get isOutOfOrder(): boolean {
    return this.#outOfOrder !== undefined;
  }

  /** Of the messages that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a message that cannot be published yet; too many of them are dropped, and fetched at once. */
  keep(seq: number, message: EarlyMessage): void {
    this.#outOfOrder ??= new Map();
    const before = this.#outOfOrder.get(seq)?.frame.byteLength ?? 0;
    // A view would keep all that was read from Redis with it.
    this.#outOfOrder.set(seq, { ...message, frame: new Uint8Array(message.frame) });
    if (this.#outOfOrder.size > this.#deps.outOfOrderMax) {
      this.drop();
      return;
    }
    this.#fetchAfter(this.#deps.gapWaitMs);
    // The last step: it may drop them.
    this.#move(message.frame.byteLength - before);
  }

  /** Forgets the messages that wait, and fetches them. */
  drop(): void {
    this.#forget();
    void this.fetchNow();
  }

  /** Takes the message with that `seq` out, if it is here and the state of `version` is new enough for it. */
  take(seq: number, version: number): EarlyMessage | undefined {
    const message = this.#outOfOrder?.get(seq);
    if (!message || message.version > version) return undefined;
    this.#delete(seq, message);
    return message;
  }

  /**
   * Something was published that did not get here: fetches it; before the first read, once that is done.
   * @returns when it was fetched, or could not be, or somebody else fetches it
   */
  fetchNow(): Promise<void> {
    this.#isIncomplete = true;
    return this.#fetch();
  }

  /** The same after a pause, for what may come again and again. */
  fetchSoon(): void {
    this.#isIncomplete = true;
    this.#fetchAfter(fetchPauseMs);
  }

  /** The first read is here. */
  onStarted(): void {
    if (this.#isIncomplete) void this.#fetch();
    else if (this.isOutOfOrder) this.#fetchAfter(this.#deps.gapWaitMs);
  }

  /** The group is at `lastSeq`: perhaps nothing is missing any more. */
  onProgress(lastSeq: number): void {
    if (this.#outOfOrder) {
      for (const [seq, message] of this.#outOfOrder) if (seq <= lastSeq) this.#delete(seq, message);
    }
    if (!this.isOutOfOrder && !this.#isIncomplete) this.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#forget();
  }

  #delete(seq: number, message: EarlyMessage): void {
    this.#outOfOrder?.delete(seq);
    if (this.#outOfOrder?.size === 0) this.#outOfOrder = undefined;
    this.#move(-message.frame.byteLength);
  }

  #forget(): void {
    this.#outOfOrder = undefined;
    this.#move(-this.#bytes);
  }

  #move(bytes: number): void {
    if (bytes === 0) return;
    this.#bytes += bytes;
    this.#deps.outOfOrder.move(this, bytes);
  }

  #fetchAfter(pauseMs: number): void {
    if (this.#timer || this.#feed.lastSeq === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#fetch();
    }, pauseMs);
  }

  async #fetch(): Promise<void> {
    const feed = this.#feed;
    if (this.#isFetching || feed.lastSeq === undefined) return;
    this.#isFetching = true;
    this.#deps.metrics.gapsFetched.inc();
    let outcome: PageOutcome = 'more';
    while (feed.isOpen && (outcome === 'more' || (outcome === 'all' && this.#isIncomplete))) {
      this.#isIncomplete = false;
      outcome = await feed.fetchPage();
    }
    this.#isFetching = false;
    if (!feed.isOpen) return;
    if (outcome === 'failed') this.#isIncomplete = true;
    if (this.isOutOfOrder || this.#isIncomplete) this.#fetchAfter(fetchPauseMs);
  }
}

import type { GatewayMetrics } from '../metrics.ts';

/** Pause after a fetch that left a gap, so that a core with an outage is not asked without pause. */
const fetchPauseMs = 500;

/** What a page of a group brought. */
export type PageOutcome = 'more' | 'all' | 'failed';

/** What closing a gap has to know of its group. */
type GappedFeed = {
  readonly isOpen: boolean;
  /** Undefined until the first read, which brings all that is missing. */
  readonly lastSeq: number | undefined;
  /** Whether a message waits for one that is missing. */
  readonly isOutOfOrder: boolean;
  fetchPage(): Promise<PageOutcome>;
};

type GapDeps = {
  /** How long a gap may close by itself before it is fetched. */
  readonly gapWaitMs: number;
  readonly metrics: Pick<GatewayMetrics, 'gapsFetched'>;
};

/**
 * What is missing in a group: gives it a moment to come by itself, then fetches pages until nothing is missing. What a
 * failed fetch leaves is tried again.
 */
export class Gap {
  readonly #feed: GappedFeed;
  readonly #deps: GapDeps;
  #timer: NodeJS.Timeout | undefined;
  #isFetching = false;
  /** Something was published, and is neither sent nor in the out-of-order buffer. */
  #isIncomplete = false;

  constructor(feed: GappedFeed, deps: GapDeps) {
    this.#feed = feed;
    this.#deps = deps;
  }

  /** A message waits for one that is missing. */
  watch(): void {
    this.#fetchAfter(this.#deps.gapWaitMs);
  }

  /** Something was published that did not get here: fetches it; before the first read, once that is done. */
  fetchNow(): void {
    this.#isIncomplete = true;
    void this.#fetch();
  }

  /** The same after a pause, for what may come again and again. */
  fetchSoon(): void {
    this.#isIncomplete = true;
    this.#fetchAfter(fetchPauseMs);
  }

  /** The first read is here. */
  onStarted(): void {
    if (this.#isIncomplete) void this.#fetch();
    else if (this.#feed.isOutOfOrder) this.watch();
  }

  /** The group went on: perhaps nothing is missing any more. */
  onProgress(): void {
    if (!this.#feed.isOutOfOrder && !this.#isIncomplete) this.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
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
    if (feed.isOutOfOrder || this.#isIncomplete) this.#fetchAfter(fetchPauseMs);
  }
}

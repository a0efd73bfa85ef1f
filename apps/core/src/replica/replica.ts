import {
  type Db,
  type Fit,
  type History,
  isRecoveryConflict,
  type Page,
  type PageQuestion,
  type ReplicaDb,
  readGroupHeads,
  readReplicaState,
  readWalPosition,
  replayPages,
  replicaFault,
  replicaPages,
} from '@hooligram/db';
import type { Log } from '@hooligram/service';
import type { ReplicaMetrics } from './metrics.ts';
import { WalPositions } from './wal-positions.ts';

type ReplicaDeps = {
  readonly db: Db;
  readonly replica: ReplicaDb;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly metrics: Pick<ReplicaMetrics, 'pages'>;
  /** Milliseconds by a clock that never goes back. Default: this process's. */
  readonly now?: () => number;
};

/**
 * A replica that is further behind is not used. The heads of groups say what a page must have; this bounds the rest,
 * the numbers of its senders: after an account was deleted, for so long at most a page may still have its number.
 */
const lagMaxMs = 5_000;
const see = 'docs/runbook.md#replicaunused';
/** After a failure the replica is left alone for so long, and twice as long after each further one without a page between. */
const pauseMinMs = 1_000;
const pauseMaxMs = 30_000;

type Unanswered = 'behind' | 'cancelled' | 'failed';

/**
 * A standby of the database that answers pages of replays.
 *
 * Guarantee: a page is as new as if the primary had read it when it was asked for. While the replica reads the page, the
 * primary is asked how far the groups are; a page counts if its group, in the very snapshot of the page, is as far as
 * that, and the primary reads the others. A replica that is stopped, frozen, behind, or of another database costs the
 * pages that are just read there the deadline of its pool, and nobody else anything: after that none goes there for a
 * while.
 */
export class Replica {
  readonly #deps: ReplicaDeps;
  readonly #now: () => number;
  readonly #positions = new WalPositions();
  /** In which `#positions` are. */
  #history: History | undefined;
  #isUsed = false;
  /** Whether the log has said that it is not used. */
  #isLossKnown = false;
  #isClosed = false;
  #pauseMs = pauseMinMs;
  #pausedUntil = 0;

  constructor(deps: ReplicaDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? (() => performance.now());
  }

  get isUsed(): boolean {
    return this.#isUsed;
  }

  get lagMs(): number {
    return this.#positions.lagMs(this.#now());
  }

  /** Asks both servers how far they are: from then on the replica is used, or not. To be repeated each second. */
  async look(): Promise<void> {
    const { db, replica } = this.#deps;
    const history = db.epoch.seen;
    if (!history) return;
    if (history.epoch !== this.#history?.epoch || history.identity !== this.#history.identity) {
      this.#positions.forget();
      this.#history = history;
    }
    const at = this.#now();
    const wal = await readWalPosition(db);
    if (wal === null) {
      this.#lose('the primary does not say how far its write-ahead log is');
      return;
    }
    this.#positions.note(at, wal);
    try {
      const state = await readReplicaState(replica);
      const fault = replicaFault(state, history);
      if (fault) this.#lose(fault);
      else this.#onPosition(state.wal ?? 0);
    } catch (error) {
      this.#lose(textOf(error));
    }
  }

  /**
   * What follows in each of these groups, as `replayPages` says it.
   * @param db the primary, on which pages may have a bound
   */
  async pages(db: Db, questions: readonly PageQuestion[], limit: number): Promise<(Page | null)[]> {
    const { metrics, replica } = this.#deps;
    const fit = this.#fit();
    if (!fit) {
      metrics.pages.inc({ outcome: 'unused' }, questions.length);
      return replayPages(db, questions, limit);
    }
    const [heads, found] = await Promise.all([
      readGroupHeads(db, [...new Set(questions.map(({ group_id }) => group_id))]),
      replicaPages(replica, fit, questions, limit).catch((error: unknown) => this.#onFailure(error)),
    ]);
    const headOf = new Map(heads.map(([id, version, lastSeq]) => [id, { version, lastSeq }]));
    const pages = questions.map(({ group_id }, index) => {
      const head = headOf.get(group_id);
      if (!head) return null;
      const page = typeof found === 'string' ? null : found[index];
      return page && page.version >= head.version && page.last_seq >= head.lastSeq ? page : undefined;
    });
    const left = questions.filter((_, index) => pages[index] === undefined);
    if (left.length < questions.length) this.#pauseMs = pauseMinMs;
    metrics.pages.inc({ outcome: 'replica' }, questions.length - left.length);
    metrics.pages.inc({ outcome: typeof found === 'string' ? found : 'behind' }, left.length);
    const read = await replayPages(db, left, limit);
    return pages.map((page) => (page === undefined ? (read.shift() ?? null) : page));
  }

  /** Says nothing any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** What the replica must be to answer now; undefined if it is not asked. */
  #fit(): Fit | undefined {
    const { reached } = this.#positions;
    const history = this.#deps.db.epoch.seen;
    if (!this.#isUsed || !reached || !history || history.epoch !== this.#history?.epoch) return undefined;
    // Of several servers behind one address, each must be as far as the one that was looked at.
    return { ...history, wal: reached.wal };
  }

  #onPosition(wal: number): void {
    this.#positions.reach(wal);
    const { lagMs } = this;
    if (lagMs > lagMaxMs) this.#lose(`it is ${Math.round(lagMs / 1_000)} s behind`);
    else if (this.#positions.reached) this.#find();
  }

  #onFailure(error: unknown): Unanswered {
    if (isRecoveryConflict(error)) return 'cancelled';
    this.#lose(textOf(error));
    return 'failed';
  }

  #lose(reason: string): void {
    if (this.#isClosed) return;
    if (this.#isUsed || !this.#isLossKnown) {
      this.#deps.log.warn({ reason, see }, 'the replica is not used: the primary answers all pages');
      this.#pausedUntil = this.#now() + this.#pauseMs;
      this.#pauseMs = Math.min(2 * this.#pauseMs, pauseMaxMs);
    }
    this.#isUsed = false;
    this.#isLossKnown = true;
  }

  #find(): void {
    if (this.#isClosed || this.#isUsed || this.#now() < this.#pausedUntil) return;
    this.#isUsed = true;
    this.#isLossKnown = false;
    this.#deps.log.info({ see }, 'the replica is used: it answers pages of replays');
  }
}

function textOf(error: unknown): string {
  const { message, code } = error as Error & { code?: string };
  return message || code || String(error);
}

import {
  type Db,
  deliveryChecks,
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
  replicaSweep,
  type SweepPage,
  type SweepQuestion,
  sweepGroups,
} from '@hooligram/db';
import type { Log } from '@hooligram/service';
import type { ReplicaMetrics } from './metrics.ts';
import { WalPositions } from './wal-positions.ts';

type ReplicaDeps = {
  readonly db: Db;
  readonly replica: ReplicaDb;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly metrics: Pick<ReplicaMetrics, 'pages' | 'sweepPages'>;
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
 * A standby of the database that answers pages of replays, and looks for overdue members for the sweep.
 *
 * Guarantee: a page of a replay is as new as if the primary had read it when it was asked for. While the replica reads the page, the
 * primary is asked how far the groups are; a page counts if its group, in the very snapshot of the page, is as far as
 * that, and the primary reads the others. A replica that is stopped, frozen, behind, or of another database costs the
 * pages that are just read there the deadline of its pool, and nobody else anything: after that none goes there for a
 * while. A page of the sweep leaves nothing out that was committed before it could be due: see `sweep`.
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
  #sweepsPausedUntil = Number.NEGATIVE_INFINITY;

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

  /**
   * The next groups with overdue members, as `sweepGroups` says it. The replica looks at their members and names the groups;
   * the primary says how far those are, and what of them is due by its clock.
   *
   * Guarantee: nothing is left out that was committed `deadlineMs` ago or earlier, by this process's clock. What is younger
   * is not due yet, and its delivery check waits in Redis; if that is lost, the next walk finds it. A group in which all was
   * acknowledged since then is named too, which costs one publication that says what everybody knows.
   *
   * A read that fails may only be a page of large groups: the replica is still used for replays then, and `look` notices if
   * there is more to it. The primary reads the sweep for a while.
   *
   * @throws what the primary's statements throw
   */
  async sweep(question: SweepQuestion & { readonly deadlineMs: number }): Promise<SweepPage> {
    const { db, metrics } = this.#deps;
    const found = await this.#candidates(question);
    metrics.sweepPages.inc({ outcome: typeof found === 'string' ? found : 'replica' });
    if (typeof found === 'string') return sweepGroups(db, question);
    const { candidates, ...range } = found;
    const overdue = candidates.length > 0 ? await deliveryChecks(db, candidates, question.deadlineMs) : [];
    return { overdue, ...range };
  }

  async #candidates({ deadlineMs, ...question }: SweepQuestion & { readonly deadlineMs: number }) {
    const fit = this.#fit();
    const now = this.#now();
    if (!fit || now < this.#sweepsPausedUntil) return 'unused';
    if (now - (this.#positions.reached?.at ?? 0) > deadlineMs) return 'behind';
    try {
      return (await replicaSweep(this.#deps.replica, fit, question)) ?? 'behind';
    } catch (error) {
      if (isRecoveryConflict(error)) return 'cancelled';
      this.#deps.log.info(
        { reason: textOf(error), see },
        'the replica did not answer the sweep: the primary reads it for a while',
      );
      this.#sweepsPausedUntil = this.#now() + pauseMaxMs;
      return 'failed';
    }
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
    this.#deps.log.info({ see }, 'the replica is used: it answers pages of replays and of the sweep');
  }
}

function textOf(error: unknown): string {
  const { message, code } = error as Error & { code?: string };
  return message || code || String(error);
}

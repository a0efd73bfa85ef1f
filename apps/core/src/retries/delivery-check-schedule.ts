import { dueOf, type Queues } from '@hooligram/bus/queues';
import { Coalescer } from './coalescer.ts';
import { countAdded, type JobMetrics } from './metrics.ts';

const groupsKnownMax = 100_000;
/** A job that is about to begin is not relied on. */
const marginMs = 500;

/**
 * Schedules delivery checks, at most one job per group and period, however many messages the group has.
 *
 * The id of the waiting job says when it is due. A check reads the group when it begins, and schedules the next one
 * for what was not yet due then. So a known job covers everything that is committed clearly before the job is due:
 * until then this core need not ask Redis again, and a busy group costs it one round trip per period. All due times
 * are by Redis's clock. No due time is believed for longer than the deadline, whichever process wrote the job's id.
 * A check that begins early finds, by the database's clock, that its messages are not yet due, and schedules again.
 */
export class DeliveryCheckSchedule {
  readonly #queues: Queues;
  readonly #deadlineMs: number;
  readonly #now: () => number;
  readonly #metrics: JobMetrics;
  /** In the order in which the jobs became known, so the first are the first to end. */
  readonly #coveredUntil = new Map<number, number>();
  readonly #coalescer = new Coalescer((groupIds) => this.#add(groupIds));

  /**
   * @param options.deadlineMs from a commit to its check
   * @param options.now milliseconds since the epoch, by Redis's clock
   */
  constructor(options: { queues: Queues; deadlineMs: number; now(): number; metrics: JobMetrics }) {
    this.#queues = options.queues;
    this.#deadlineMs = options.deadlineMs;
    this.#now = options.now;
    this.#metrics = options.metrics;
  }

  /** Has the group checked when what has just been committed is due. Cheap, and never waits. */
  schedule(group_id: number): void {
    if (!this.#isCovered(group_id)) this.#coalescer.add(group_id);
  }

  /**
   * Resolves when everything scheduled so far is in Redis: an entry is acknowledged only then. Rejects if that failed;
   * the entry stays pending then, and is run again.
   */
  settled(): Promise<void> {
    return this.#coalescer.settled();
  }

  /** Redis was emptied: no job is known to wait. */
  forget(): void {
    this.#coveredUntil.clear();
  }

  #isCovered(group_id: number): boolean {
    return (this.#coveredUntil.get(group_id) ?? 0) > this.#now();
  }

  async #add(scheduled: readonly number[]): Promise<void> {
    // A job became known meanwhile: it was added behind the same commit, or behind a later one.
    const groupIds = scheduled.filter((group_id) => !this.#isCovered(group_id));
    if (groupIds.length === 0) return;
    const waiting = await this.#queues.add(
      'delivery-check',
      groupIds.map((group_id) => ({
        data: { group_id },
        key: String(group_id),
        delayMs: this.#deadlineMs,
      })),
    );
    countAdded(this.#metrics, 'delivery-check', waiting);
    for (const [index, { id }] of waiting.entries()) this.#learn(groupIds[index] as number, dueOf(id));
  }

  #learn(group_id: number, dueAt: number): void {
    this.#coveredUntil.delete(group_id);
    const now = this.#now();
    const margin = Math.min(marginMs, this.#deadlineMs / 4);
    this.#coveredUntil.set(group_id, Math.min(dueAt, now + this.#deadlineMs) - margin);
    for (const [known, until] of this.#coveredUntil) {
      if (until > now && this.#coveredUntil.size <= groupsKnownMax) break;
      this.#coveredUntil.delete(known);
    }
  }
}

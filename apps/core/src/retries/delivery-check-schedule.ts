import type { DueSet } from '@hooligram/bus';
import type { Queues } from '@hooligram/bus/queues';
import { Coalescer } from './coalescer.ts';
import { countAdded, type JobMetrics } from './metrics.ts';

const groupsKnownMax = 100_000;
const bucketMaxMs = 500;
/** A job that is about to begin is not relied on. */
const marginMaxMs = 500;

type Options = {
  dueGroups: DueSet;
  queues: Queues;
  deadlineMs: number;
  now(): number;
  metrics: JobMetrics;
};

/**
 * Schedules delivery checks. What groups were given in one tick joins the set of groups that wait, with one command.
 * Moments at which groups are due are rounded up to the end of a bucket, and a bucket has one job, however many groups
 * it has.
 *
 * A group that waits is not put off: it is due when its oldest message is, and its check schedules the next one for
 * what was not yet due then. So a group that is known to wait is not given to Redis again before it is about to be due,
 * and a busy group costs a core one command per period. The bucket in which a group waits may be another core's, which
 * may have died before it added the job: so a core adds the jobs of all buckets that it learns of, and those that it
 * knows are not added again before they are about to begin. All moments are by Redis's clock, and none is believed for
 * longer than the deadline.
 */
export class DeliveryCheckSchedule {
  readonly #options: Options;
  readonly #bucketMs: number;
  readonly #marginMs: number;
  /** In the order in which they became known, so the first are the first to end. */
  readonly #coveredUntil = new Map<number, number>();
  /** The buckets whose job stands in Redis. */
  readonly #buckets = new Set<number>();
  readonly #coalescer = new Coalescer((groupIds) => this.#add(groupIds));

  /**
   * @param options.deadlineMs from a commit to its check
   * @param options.now milliseconds since the epoch, by Redis's clock
   */
  constructor(options: Options) {
    const { deadlineMs } = options;
    this.#options = options;
    this.#bucketMs = Math.min(bucketMaxMs, Math.ceil(deadlineMs / 10));
    this.#marginMs = Math.min(marginMaxMs, deadlineMs / 4);
  }

  /** Has the group checked when what has just been committed is due. Cheap, and never waits. */
  schedule(group_id: number): void {
    if ((this.#coveredUntil.get(group_id) ?? 0) <= this.#options.now()) this.#coalescer.add(group_id);
  }

  /** The same for a group whose check has found something that is not yet due, whatever is known of it. */
  scheduleNext(group_id: number): void {
    this.#coalescer.add(group_id);
  }

  /**
   * Resolves when everything scheduled so far is in Redis: an entry is acknowledged only then. Rejects if that failed;
   * the entry stays pending then, and is run again.
   */
  settled(): Promise<void> {
    return this.#coalescer.settled();
  }

  /** Redis was emptied: nothing is known to wait. */
  forget(): void {
    this.#coveredUntil.clear();
    this.#buckets.clear();
  }

  async #add(groupIds: readonly number[]): Promise<void> {
    const { dueGroups, deadlineMs, now } = this.#options;
    const bucket = Math.ceil((now() + deadlineMs) / this.#bucketMs) * this.#bucketMs;
    const dues = await dueGroups.add(groupIds, bucket);
    await this.#addJobs([...new Set(dues)].filter((due) => due > 0 && !this.#isRelied(due)));
    this.#learn(groupIds, dues);
  }

  /** A job that is known, and not about to begin yet, will find what is in Redis now. */
  #isRelied(bucket: number): boolean {
    return this.#buckets.has(bucket) && this.#options.now() < bucket - this.#marginMs;
  }

  #learn(groupIds: readonly number[], dues: readonly number[]): void {
    const now = this.#options.now();
    const latest = now + this.#options.deadlineMs;
    for (const [index, group_id] of groupIds.entries()) {
      this.#coveredUntil.delete(group_id);
      this.#coveredUntil.set(group_id, Math.min(dues[index] as number, latest) - this.#marginMs);
    }
    for (const [known, until] of this.#coveredUntil) {
      if (until > now && this.#coveredUntil.size <= groupsKnownMax) break;
      this.#coveredUntil.delete(known);
    }
  }

  async #addJobs(buckets: readonly number[]): Promise<void> {
    if (buckets.length === 0) return;
    const { queues, now, metrics } = this.#options;
    const additions = buckets.map((bucket) => {
      const delayMs = Math.max(0, Math.ceil(bucket - now()));
      return { data: { bucket }, key: String(bucket), delayMs };
    });
    countAdded(metrics, 'delivery-check', await queues.add('delivery-check', additions));
    for (const known of this.#buckets) if (known < now()) this.#buckets.delete(known);
    for (const bucket of buckets) this.#buckets.add(bucket);
  }
}

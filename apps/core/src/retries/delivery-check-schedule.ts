import { dueOf, type Queues } from '@hooligram/bus/queues';
import { createGathering } from './coalescer.ts';
import type { JobMetrics } from './metrics.ts';

export type Audits = {
  /** Has the group audited when what has just been committed is due. Cheap, and never waits. */
  arm(group_id: number): void;
  /**
   * Resolves when the audits of everything armed so far stand in Redis: an entry is acknowledged behind it.
   * Rejects if that failed; the entry stays pending then, and is run again.
   */
  settled(): Promise<void>;
  /** Redis has lost its memory: no audit is known to stand. */
  forget(): void;
};

const groupsKnownMax = 100_000;
/** An audit that is about to begin is not relied on. */
const marginMs = 500;

/**
 * Arms audits, at most one job a group and period, whatever is said in the group.
 *
 * The id of the job that stands says when it is due. An audit reads the group when it begins, and arms the next
 * one for what was not yet due then. So whatever is committed clearly before a known job is due is covered by
 * it: until then this core need not ask Redis again, and a busy group costs it one round trip a period. All due times
 * are by Redis's clock. None is believed for longer than an audit takes to be due, whoever wrote the job's id. An audit
 * that begins early finds what it was armed for not yet due by the database's clock, and arms again.
 *
 * @param now milliseconds since the epoch, by Redis's clock
 */
export function createAudits({
  queues,
  deadlineMs,
  now,
  metrics,
}: {
  queues: Queues;
  deadlineMs: number;
  now(): number;
  metrics: JobMetrics;
}): Audits {
  // In the order in which they were learnt, so the first are the first to end.
  const coveredUntil = new Map<number, number>();
  const gathering = createGathering(add);

  function isCovered(group_id: number): boolean {
    return (coveredUntil.get(group_id) ?? 0) > now();
  }

  async function add(gathered: readonly number[]): Promise<void> {
    // An audit became known to stand since: it was asked for behind the same commit, or behind a later one.
    const groupIds = gathered.filter((group_id) => !isCovered(group_id));
    if (groupIds.length === 0) return;
    const standing = await queues.add(
      'audit',
      groupIds.map((group_id) => ({ data: { group_id }, key: String(group_id), delayMs: deadlineMs })),
    );
    metrics.jobsAdded('audit', standing);
    for (const [index, { id }] of standing.entries()) learn(groupIds[index] as number, dueOf(id));
  }

  function learn(group_id: number, dueAt: number): void {
    coveredUntil.delete(group_id);
    const at = now();
    coveredUntil.set(group_id, Math.min(dueAt, at + deadlineMs) - Math.min(marginMs, deadlineMs / 4));
    for (const [known, until] of coveredUntil) {
      if (until > at && coveredUntil.size <= groupsKnownMax) break;
      coveredUntil.delete(known);
    }
  }

  return {
    arm(group_id) {
      if (!isCovered(group_id)) gathering.add(group_id);
    },
    settled: gathering.settled,
    forget: () => coveredUntil.clear(),
  };
}

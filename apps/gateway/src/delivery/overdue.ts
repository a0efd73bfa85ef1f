import type { StoredCursor } from '@hooligram/contract';
import type { Core } from '../core/core-client.ts';
import type { Users } from '../groups/users.ts';
import type { CursorWriter } from './cursor-writer.ts';

const usersPerReport = 500;
/** Of one user; what is more is asked for in the next report, once these are known. */
const groupsPerUser = 500;

type Deps = { readonly core: Core; readonly users: Users; readonly cursorWriter: CursorWriter };
type Report = { user_ids: number[]; owed: [user_id: number, group_id: number][] };

/**
 * Reports to the core which users do not acknowledge in time, so that it begins to redeliver. Live messages are covered
 * by the delivery checks of their groups; what was sent on any other path, on sign-in or after a gap, in a group where
 * nothing happens any more, would be noticed by nothing else.
 *
 * A user whose connections acknowledge what is replayed, however slowly, is looked at again a deadline later: what they
 * have not acknowledged is on its way, and to send it again would fill their link with what they will have in a moment.
 *
 * For users for whom nothing is overdue the core answers with the stored cursors: another gateway's connection of the
 * same user may have acknowledged what fills a window here. A user who is behind also by those is reported again.
 */
export class Overdue {
  readonly #deps: Deps;
  readonly #deadlineMs: number;
  /** When what was sent to a user is due, in the order of time: the first is the next. */
  readonly #dueAt = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;
  #reported = new Set<number>();

  /** @param deadlineMs how long a user may take to acknowledge */
  constructor(deps: Deps, deadlineMs: number) {
    this.#deps = deps;
    this.#deadlineMs = deadlineMs;
    this.#timer = setInterval(() => this.#look(), Math.max(10, deadlineMs / 5));
  }

  /** Something was sent to a user: if its acknowledgement is missing when it is due, the user is reported. */
  watch(userId: number): void {
    if (!this.#dueAt.has(userId)) this.#dueAt.set(userId, Date.now() + this.#deadlineMs);
  }

  /** A user has not acknowledged in time. */
  report(userId: number): void {
    this.#reported.add(userId);
    if (this.#reported.size === 1) setImmediate(() => void this.#send());
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = Date.now();
    for (const [userId, dueAt] of this.#dueAt) {
      if (dueAt > now) return;
      this.#dueAt.delete(userId);
      const user = this.#deps.users.find(userId);
      if (user?.isLate(this.#deadlineMs)) this.report(userId);
      else if (user?.isBehind) this.watch(userId);
    }
  }

  async #send(): Promise<void> {
    const userIds = [...this.#reported];
    this.#reported = new Set();
    while (userIds.length > 0) {
      const report = this.#takeReport(userIds);
      const reply = await this.#deps.core.request('OVERDUE_REPORT', report);
      if (!reply.ok) for (const userId of report.user_ids) this.watch(userId);
      else if (reply.answer.cursors) this.#raise(reply.answer.cursors);
    }
  }

  /** Takes users off the list until a request is full. */
  #takeReport(userIds: number[]): Report {
    const report: Report = { user_ids: [], owed: [] };
    while (report.user_ids.length < usersPerReport && report.owed.length < groupsPerUser) {
      const userId = userIds.pop();
      if (userId === undefined) break;
      const owed = this.#deps.users.find(userId)?.takeOwedCursors(groupsPerUser) ?? [];
      report.user_ids.push(userId);
      for (const { groupId } of owed) report.owed.push([userId, groupId]);
    }
    return report;
  }

  #raise(stored: readonly StoredCursor[]): void {
    const { users, cursorWriter } = this.#deps;
    for (const one of stored) {
      const user = users.find(one.user_id);
      const cursor = user?.cursorIn(one.group_id);
      if (cursor) cursorWriter.raise(cursor, one);
      user?.onRaised(one.group_id);
    }
    for (const userId of new Set(stored.map(({ user_id }) => user_id))) {
      if (users.find(userId)?.isBehind) this.watch(userId);
    }
  }
}

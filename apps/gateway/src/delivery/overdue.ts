import type { StoredCursor } from '@hooligram/contract';
import type { Core } from '../core/core-client.ts';
import type { Member } from '../groups/delivery-cursor.ts';
import type { People, Person } from '../groups/users.ts';

export type Lag = {
  /** Something was replayed to somebody: if they still owe its acknowledgement when it is due, they are reported. */
  watch(userId: number): void;
  /** Somebody has not acknowledged in time. */
  report(userId: number): void;
  close(): void;
};

const usersPerReport = 500;
/** Of one person; what is more is asked for in the next report, once these are known. */
const groupsPerUser = 500;

type Report = { user_ids: number[]; owed: [user_id: number, group_id: number][] };

/** Whether somebody has a connection here that has not got, or not acknowledged, what is theirs. */
export function isLagging(person: Person): boolean {
  for (const session of person.sessions) {
    for (const attachment of session.attachments.values()) {
      const member = attachment.group.members.get(person.userId);
      if (attachment.isTold && member?.lags(attachment.reached, attachment.group.version)) return true;
      if (attachment.phase === 'replaying') return true;
    }
  }
  return false;
}

/** The groups of which a connection of this person here has something that is not known to be acknowledged. */
export function owing(person: Person): Member[] {
  const members = new Set<Member>();
  for (const { attachments } of person.sessions) {
    for (const attachment of attachments.values()) {
      const member = attachment.group.members.get(person.userId);
      if (attachment.isTold && member?.lags(attachment.reached, attachment.group.version))
        members.add(member);
    }
  }
  return [...members];
}

/**
 * Tells the core who does not acknowledge, so that it begins to nudge. Live messages are covered by the audits
 * of their groups; what was sent on any other path, on sign-in or after a hole, in a group where nothing happens
 * any more, would be noticed by nobody else.
 *
 * For whom nothing is overdue the core answers with the stored cursors: another gateway's connection of the same
 * person may have acknowledged what fills a window here. Who is behind also by those is reported again.
 */
export function createLag({
  core,
  people,
  deadlineMs,
  onStored,
}: {
  core: Core;
  people: People;
  deadlineMs: number;
  /** Raises cursors to what is stored. */
  onStored: (cursors: readonly StoredCursor[]) => void;
}): Lag {
  // In the order of time: the first is the next to be due.
  const watched = new Map<number, number>();
  let lagging = new Set<number>();

  const timer = setInterval(look, Math.max(10, deadlineMs / 5));

  function look(): void {
    const now = Date.now();
    for (const [userId, dueAt] of watched) {
      if (dueAt > now) return;
      watched.delete(userId);
      const person = people.find(userId);
      if (person && isLagging(person)) report(userId);
    }
  }

  function report(userId: number): void {
    lagging.add(userId);
    if (lagging.size === 1) setImmediate(() => void tell());
  }

  async function tell(): Promise<void> {
    const userIds = [...lagging];
    lagging = new Set();
    for (let report = newReport(userIds); report.user_ids.length > 0; report = newReport(userIds)) {
      const reply = await core.ask('OVERDUE_REPORT', report);
      if (!reply.ok) for (const userId of report.user_ids) watch(userId);
      else if (reply.answer.cursors) learn(reply.answer.cursors);
    }
  }

  /** Takes people off the list until a request is full. */
  function newReport(userIds: number[]): Report {
    const report: Report = { user_ids: [], owed: [] };
    while (report.user_ids.length < usersPerReport && report.owed.length < groupsPerUser) {
      const userId = userIds.pop();
      if (userId === undefined) break;
      const person = people.find(userId);
      const owed = person ? owing(person).slice(0, groupsPerUser) : [];
      report.user_ids.push(userId);
      for (const { groupId } of owed) report.owed.push([userId, groupId]);
    }
    return report;
  }

  function learn(cursors: readonly StoredCursor[]): void {
    onStored(cursors);
    for (const userId of new Set(cursors.map(({ user_id }) => user_id))) {
      const person = people.find(userId);
      if (person && isLagging(person)) watch(userId);
    }
  }

  function watch(userId: number): void {
    if (!watched.has(userId)) watched.set(userId, Date.now() + deadlineMs);
  }

  return { watch, report, close: () => clearInterval(timer) };
}

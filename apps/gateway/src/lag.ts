import type { Core } from './core-client.ts';
import type { People, Person } from './people.ts';

export type Lag = {
  /** Something was replayed to somebody: if they still owe its acknowledgement when it is due, they are reported. */
  watch(userId: number): void;
  /** Somebody has not acknowledged in time. */
  report(userId: number): void;
  close(): void;
};

const usersPerReport = 500;

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

/**
 * Tells the core who does not acknowledge, so that it begins to nudge. Live messages are covered by the audits
 * of their groups; what was sent on any other path, on sign-in or after a hole, in a group where nothing happens
 * any more, would be noticed by nobody else.
 */
export function createLag({
  core,
  people,
  deadlineMs,
}: {
  core: Core;
  people: People;
  deadlineMs: number;
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
    for (let start = 0; start < userIds.length; start += usersPerReport) {
      const user_ids = userIds.slice(start, start + usersPerReport);
      const reply = await core.ask('LAG_REPORT', { user_ids });
      if (!reply.ok) for (const userId of user_ids) watch(userId);
    }
  }

  function watch(userId: number): void {
    if (!watched.has(userId)) watched.set(userId, Date.now() + deadlineMs);
  }

  return { watch, report, close: () => clearInterval(timer) };
}

import type { Subscription } from './subscription.ts';
import type { UserConnection } from './user-connection.ts';

/** How often is looked which Redis are away. */
const lookEveryMs = 250;

/**
 * Waits until what is published to a user and in groups is received here, or the connection is over. Of several Redis, those
 * are left out that are away or go away meanwhile.
 *
 * @param isLast there is nothing else to go on with: if all groups are away, waits until one of them is not
 * @returns the groups that were left out
 */
export function untilListening(
  isAway: (id: number) => boolean,
  connection: UserConnection,
  groups: readonly Subscription[],
  isLast: boolean,
): Promise<ReadonlySet<Subscription>> {
  return new Promise((resolve) => {
    const waiting = new Set(groups);
    const away = new Set<Subscription>();
    let isUserHere = false;
    const timer = setInterval(look, lookEveryMs);
    function look(): void {
      const gone = [...waiting].filter(({ feed }) => isAway(feed.id));
      if (isLast && gone.length === groups.length && connection.isOpen) return;
      for (const group of gone) {
        waiting.delete(group);
        away.add(group);
      }
      end();
    }
    function end(): void {
      if (connection.isOpen && (!isUserHere || waiting.size > 0)) return;
      clearInterval(timer);
      resolve(away);
    }
    void connection.user.listening.then(() => {
      isUserHere = true;
      end();
    });
    for (const group of groups) {
      void group.feed.listening.then(() => {
        waiting.delete(group);
        end();
      });
    }
    // Groups may be received already whose Redis is away: they are among the last, and nobody waits for them there.
    if (isLast) queueMicrotask(look);
    else look();
  });
}

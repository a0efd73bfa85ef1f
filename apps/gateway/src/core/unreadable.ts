import type { Names } from '@hooligram/bus';
import { UnreadableError } from '@hooligram/contract';
import type { GatewayContext } from '../context.ts';
import { findGroups } from './resync.ts';

export type Unreadable = {
  /** Takes a publication that could not be read, or whose handling failed. */
  onPublication(channel: string, error: unknown): void;
  close(): void;
};

/** A channel on which rubbish comes again and again is looked after so often. */
const pauseMs = 500;

/**
 * What cannot be read costs its own channel a look, and nobody anything else. It stood for something that happened: a
 * group is fetched, and a user's groups are looked for. An answer's request is written again when it is due.
 *
 * @param current what knows the database's epoch, now
 */
export function createUnreadable(current: () => GatewayContext, names: Names): Unreadable {
  const users = new Set<number>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    timer = undefined;
    const context = current();
    const userIds = [...users].filter((userId) => context.people.has(userId));
    users.clear();
    void findGroups(context, userIds);
  }

  return {
    onPublication(channel, error) {
      const context = current();
      const subject = names.subjectOf(channel);
      const type = subject?.type ?? (channel === names.gateways ? 'gateways' : 'answers');
      context.metrics.publicationUnreadable(type);
      if (error instanceof UnreadableError) {
        context.log.warn({ type, reason: error.message }, 'a publication cannot be read');
      } else context.log.error({ type, err: error }, 'handling a publication failed');
      if (subject?.type === 'group') context.groups.find(subject.id)?.missed();
      if (subject?.type !== 'user') return;
      users.add(subject.id);
      timer ??= setTimeout(look, pauseMs);
    },
    close: () => clearTimeout(timer),
  };
}

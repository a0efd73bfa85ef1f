import { type DatabaseSnapshot, memberKey, staysOf } from './checker/database-snapshot.ts';
import { strangersPrefix } from './database.ts';
import type { Device } from './load/device.ts';

/**
 * A line for each device whose newest state of a group, since its sign-in, differs from the group in the database. It is
 * a remark and no violation, because the next sign-in delivers the state again.
 */
export function staleStates(devices: readonly Device[], { groups, memberships }: DatabaseSnapshot): string[] {
  const stays = staysOf(memberships);
  const members = new Map<number, string[]>(groups.map(({ groupId }) => [groupId, []]));
  for (const { groupId, sid, change } of memberships) {
    const list = members.get(groupId);
    const isMember = stays.get(memberKey(groupId, sid))?.at(-1)?.through === Number.POSITIVE_INFINITY;
    if (change === 'joined' && isMember && !list?.includes(sid)) list?.push(sid);
  }
  const stale: string[] = [];
  for (const [groupId, sids] of members) {
    const state = sids.sort().join(' ');
    for (const device of devices) {
      if (!sids.includes(device.sid)) continue;
      const received = device.states
        .get(groupId)
        ?.filter((sid) => !sid.startsWith(strangersPrefix))
        .join(' ');
      if (received === state) continue;
      stale.push(`${device.name}, group ${groupId}: received ${received ?? 'nothing'}, is ${state}`);
    }
  }
  return stale;
}

import type { Device } from './load/device.ts';
import { memberKey, staysOf, type Truth } from './verdict/truth.ts';

/**
 * Devices whose newest state of a group, since they signed in, is not the group as it is: one line each. A remark
 * and no fault, because only a client that is told again at its next sign-in can tell how long it lasts.
 */
export function staleStates(devices: readonly Device[], { groups, memberships }: Truth): string[] {
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
      const told = device.states.get(groupId)?.join(' ');
      if (told === state) continue;
      stale.push(`${device.name}, group ${groupId}: told ${told ?? 'nothing'}, is ${state}`);
    }
  }
  return stale;
}

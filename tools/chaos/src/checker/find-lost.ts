import type { Violation } from './check.ts';
import { type DatabaseSnapshot, type StoredMessage, staysOf } from './database-snapshot.ts';
import type { History } from './history.ts';
import { append, ensure } from './maps.ts';

/**
 * Every stored message was kept by each user who has been a member since before it. (Not only messages with SUCCESS: a
 * committed message is delivered even if its sender has no answer yet.)
 */
export function findLost(history: History, snapshot: DatabaseSnapshot): Violation[] {
  const sends = new Map(history.sends.map((send) => [send.id, send]));
  const keptOf = keptBySid(history);
  const owed = owedByGroup(snapshot);
  const violations: Violation[] = [];
  for (const message of snapshot.messages) {
    for (const [sid, after] of owed.get(message.groupId) ?? []) {
      if (message.seq <= after || keptOf.get(sid)?.has(message.messageId)) continue;
      const at = sends.get(message.requestId)?.attempts[0]?.at ?? 0;
      violations.push({ type: 'lost', at, evidence: `${describe(message)} was never kept by ${sid}` });
    }
  }
  return violations;
}

export function describe({ messageId, groupId, seq, senderSid, requestId }: StoredMessage): string {
  return `message ${messageId} (group ${groupId}, seq ${seq}, from ${senderSid}, request ${requestId})`;
}

/** The present members of each group, with the seq after which every message is for them. */
function owedByGroup(snapshot: DatabaseSnapshot): Map<number, [sid: string, after: number][]> {
  const owed = new Map<number, [string, number][]>();
  for (const [key, stays] of staysOf(snapshot.memberships)) {
    const [group = '', sid = ''] = key.split(' ');
    const last = stays.at(-1);
    if (!last || Number.isFinite(last.through)) continue;
    append(owed, Number(group), [sid, last.after]);
  }
  return owed;
}

function keptBySid({ connections, deliveries }: History): Map<string, Set<number>> {
  const kept = new Map<string, Set<number>>();
  for (const { connection, messageId, isKept } of deliveries) {
    const sid = connections[connection]?.sid;
    if (!isKept || sid === undefined) continue;
    ensure(kept, sid, () => new Set()).add(messageId);
  }
  return kept;
}

import type { Ledger, SendRecord } from './ledger.ts';
import { type StoredMessage, staysOf, type Truth } from './truth.ts';
import type { Fault } from './verdict.ts';

/**
 * Every stored message was kept by everybody who has been a member since before it. (Not only those with SUCCESS:
 * what is committed is delivered, whether its sender has heard of it yet or not.)
 */
export function findLost(ledger: Ledger, truth: Truth): Fault[] {
  const sends = sendsById(ledger);
  const gotBySid = keptBySid(ledger);
  const owed = owedByGroup(truth);
  const faults: Fault[] = [];
  for (const message of truth.messages) {
    for (const [sid, after] of owed.get(message.groupId) ?? []) {
      if (message.seq <= after || gotBySid.get(sid)?.has(message.messageId)) continue;
      const at = sends.get(message.requestId)?.attempts[0]?.at ?? 0;
      faults.push({ kind: 'lost', at, evidence: `${describe(message)} was never kept by ${sid}` });
    }
  }
  return faults;
}

export function describe({ messageId, groupId, seq, senderSid, requestId }: StoredMessage): string {
  return `message ${messageId} (group ${groupId}, seq ${seq}, from ${senderSid}, request ${requestId})`;
}

/** People who are members today, with the seq after which everything is theirs. */
function owedByGroup(truth: Truth): Map<number, [sid: string, after: number][]> {
  const owed = new Map<number, [string, number][]>();
  for (const [key, stays] of staysOf(truth.memberships)) {
    const [group = '', sid = ''] = key.split(' ');
    const last = stays.at(-1);
    if (!last || Number.isFinite(last.through)) continue;
    const members = owed.get(Number(group)) ?? [];
    owed.set(Number(group), members);
    members.push([sid, last.after]);
  }
  return owed;
}

function keptBySid({ connections, deliveries }: Ledger): Map<string, Set<number>> {
  const kept = new Map<string, Set<number>>();
  for (const { connection, messageId, isKept } of deliveries) {
    const sid = connections[connection]?.sid;
    if (!isKept || sid === undefined) continue;
    const messages = kept.get(sid) ?? new Set();
    kept.set(sid, messages);
    messages.add(messageId);
  }
  return kept;
}

function sendsById({ sends }: Ledger): Map<string, SendRecord> {
  return new Map(sends.map((send) => [send.id, send]));
}

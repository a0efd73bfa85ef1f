import { describe } from './find-lost.ts';
import { type DeliveryRecord, type Ledger, mayBeGone } from './ledger.ts';
import { memberKey, type Stay, type StoredMessage, staysOf, type Truth } from './truth.ts';
import type { Fault } from './verdict.ts';

/**
 * Nobody was given what was stored while they were no member: exact, by seq alone. And nobody who was told that
 * they have left was given anything more of what was stored until then: on the connection that was told so, and
 * on every one that signed in afterwards. (On another connection of theirs it may have been on its way.)
 */
export function findMisdelivered(ledger: Ledger, truth: Truth): Fault[] {
  const stored = new Map(truth.messages.map((message) => [message.messageId, message]));
  const stays = staysOf(truth.memberships);
  const farewells = farewellsOf(ledger, truth);
  const faults: Fault[] = [];
  for (const delivery of ledger.deliveries) {
    const message = stored.get(delivery.messageId);
    const sid = ledger.connections[delivery.connection]?.sid ?? '';
    const misdelivered = (why: string) =>
      faults.push({
        kind: 'misdelivered',
        at: delivery.at,
        evidence: `${why}, connection ${delivery.connection}`,
      });
    if (!message) {
      if (mayBeGone(ledger, delivery.at)) continue;
      misdelivered(`message ${delivery.messageId}, which is not stored, was given to ${sid}`);
      continue;
    }
    const key = memberKey(message.groupId, sid);
    const own = stays.get(key) ?? [];
    if (!own.some(({ after, through }) => message.seq > after && message.seq <= through)) {
      misdelivered(`${describe(message)} was given to ${sid}, ${inWords(own)}`);
    } else if (isAfterFarewell(delivery, message, farewells.get(key) ?? [], ledger)) {
      misdelivered(`${describe(message)} was given to ${sid} after they were told that they had left`);
    }
  }
  return faults;
}

type Farewell = { readonly connection: number; readonly at: number; readonly seq: number };

/** Every LEAVE that got SUCCESS, with the seq at which the database has it. */
function farewellsOf(ledger: Ledger, truth: Truth): Map<string, Farewell[]> {
  const leftAt = new Map<string, number[]>();
  for (const { groupId, sid, change, seq } of truth.memberships) {
    if (change === 'left') append(leftAt, memberKey(groupId, sid), seq);
  }
  const told = new Map<string, Omit<Farewell, 'seq'>[]>();
  for (const change of ledger.changes) {
    if (change.kind !== 'leave') continue;
    const attempt = change.attempts.find(({ answer }) => answer?.ok);
    if (!attempt?.answer) continue;
    const { connection, answer } = attempt;
    append(told, memberKey(change.groupId, change.sid), { connection, at: answer.at });
  }
  const farewells = new Map<string, Farewell[]>();
  for (const [key, own] of told) {
    const seqs = leftAt.get(key) ?? [];
    // A person's leaves follow one another. Where their number differs, that is a fault of another kind.
    if (seqs.length !== own.length) continue;
    farewells.set(
      key,
      own.map((farewell, i) => ({ ...farewell, seq: seqs[i] as number })),
    );
  }
  return farewells;
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

function isAfterFarewell(
  { connection, at }: DeliveryRecord,
  { seq }: StoredMessage,
  farewells: readonly Farewell[],
  { connections }: Ledger,
): boolean {
  return farewells.some((farewell) => {
    if (seq > farewell.seq || at <= farewell.at) return false;
    return connection === farewell.connection || (connections[connection]?.signInAt ?? 0) > farewell.at;
  });
}

function inWords(stays: readonly Stay[]): string {
  if (stays.length === 0) return 'who was never a member';
  const ranges = stays.map(
    ({ after, through }) => `(${after}, ${Number.isFinite(through) ? through : 'now'}]`,
  );
  return `a member for seq ${ranges.join(' and ')} only`;
}

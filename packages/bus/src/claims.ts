import type { Redis } from 'ioredis';
import { decodeEntry, type Entry, isUnreadable, type Unreadable } from './entry.ts';
import type { BusPart } from './pause.ts';
import { reasonOf } from './refusal.ts';

export type Claims = {
  /**
   * Leaves an entry of this consumer to others, who may take it over at once. It is not claimed here again, and
   * removed when nobody has taken it a minute after its deadline.
   */
  leave(id: string, deadline: number): void;
  /** Claims no further entries; resolves when the one that was claimed has been handled. */
  stop(): Promise<void>;
  /** Touches no entry any more: when all work is done. */
  close(): void;
};

const roundsBetweenForgetting = 100;
/** Rounds that fail come less and less often. */
const everyMaxMs = 5_000;
const pageEntries = 100;
/** So long behind its deadline nobody waits for an entry any more, and whoever knew it would have taken it. */
const leftMs = 60_000;

/**
 * Takes over entries whose consumer has not touched them for `idleMs`: it died, froze, or lost its connection
 * in the middle of a reply. Entries that this process itself is working on, claimed ones too, are touched all the
 * while, so that nobody takes them while it lives.
 *
 * Guarantee: one entry at a time; the next one is claimed when `onEntry` has resolved. An entry can be claimed
 * while its first consumer still works on it (it was frozen and woke up): what runs twice must be idempotent.
 *
 * @param now milliseconds since the epoch, by Redis's clock
 * @param onUnreadable gets what no process of this release can read; what is of another layout is left to others first
 * @param onRemoved an entry that was left, and that nobody took
 * @param own the ids of entries that this process works on
 * @param onEntry gets an entry and how often it has been given to somebody, this time included
 * @param consumerGoneMs a consumer without pending entries that was silent for so long is gone, and is forgotten
 */
export function startClaims<T>(options: {
  redis: Redis;
  stream: string;
  group: string;
  consumer: string;
  idleMs: number;
  everyMs: number;
  own(): readonly string[];
  onEntry(entry: Entry<T>, deliveries: number): Promise<void>;
  onUnreadable(id: string, why: Unreadable): void;
  onRemoved(id: string): void;
  now(): number;
  part: BusPart;
  consumerGoneMs?: number;
}): Claims {
  const {
    redis,
    stream,
    group,
    consumer,
    idleMs,
    everyMs,
    own,
    onEntry,
    onUnreadable,
    onRemoved,
    now,
    part,
  } = options;
  const { consumerGoneMs = 600_000 } = options;
  let stopping = false;
  let claimed: string | undefined;
  let round: Promise<void> = Promise.resolve();
  let timer = setTimeout(next, everyMs);
  let rounds = 0;
  let failures = 0;
  /** Entries that are left to others, and when they are removed. */
  const left = new Map<string, number>();
  const touching = setInterval(() => void touch().catch(() => {}), idleMs / 4);

  async function touch(): Promise<void> {
    if (redis.status !== 'ready') return;
    const ids = claimed ? [...own(), claimed] : own();
    // JUSTID: a touch is no delivery and does not count as one.
    if (ids.length > 0) await redis.xclaim(stream, group, consumer, 0, ...ids, 'JUSTID');
  }

  function next(): void {
    const isConnected = redis.status === 'ready';
    round = (isConnected ? claimAll() : Promise.resolve())
      .then(
        () => {
          if (!isConnected) return;
          failures = 0;
          part.works();
        },
        (error: Error) => {
          failures += 1;
          part.failed(reasonOf(error));
        },
      )
      .then(() => {
        claimed = undefined;
        const pauseMs = Math.min(everyMs * 2 ** Math.min(failures, 10), Math.max(everyMs, everyMaxMs));
        if (!stopping) timer = setTimeout(next, pauseMs);
      });
  }

  async function claimAll(): Promise<void> {
    // Those that became idle because this very process was frozen are not for itself to claim.
    await touch();
    for (let start = '-', isLast = false; !isLast && !stopping; ) {
      const pending = (await redis.xpending(stream, group, 'IDLE', idleMs, start, '+', pageEntries)) as [
        id: string,
        holder: string,
        idleMs: number,
        deliveries: number,
      ][];
      for (const [id, , , deliveries] of pending) if (!stopping) await take(id, deliveries + 1);
      isLast = pending.length < pageEntries;
      start = `(${pending.at(-1)?.[0]}`;
    }
    rounds += 1;
    // Nice to have: the user may lack the right to look.
    if (rounds % roundsBetweenForgetting === 1) await forgetConsumers().catch(() => {});
  }

  async function take(id: string, deliveries: number): Promise<void> {
    const removedAt = left.get(id);
    if (removedAt !== undefined) return removedAt < now() ? remove(id) : undefined;
    // Nothing comes back if another process was faster, or the entry is gone.
    const [taken] = (await redis.xclaim(stream, group, consumer, idleMs, id)) as (
      | [string, string[]]
      | null
    )[];
    if (!taken?.[1]) return;
    claimed = id;
    const entry = decodeEntry<T>(id, taken[1]);
    if (isUnreadable(entry)) onUnreadable(id, entry);
    else await onEntry(entry, deliveries);
    claimed = undefined;
  }

  async function remove(id: string): Promise<void> {
    left.delete(id);
    // As when it is answered: the other way round, a break between the two leaves an entry that nobody owns.
    await redis.xdel(stream, id);
    if ((await redis.xack(stream, group, id)) > 0) onRemoved(id);
  }

  function leave(id: string, deadline: number): void {
    const earliest = now() - leftMs;
    for (const [other, removedAt] of left) {
      if (removedAt > earliest) break;
      left.delete(other);
    }
    left.set(id, deadline + leftMs);
    // As if nobody had touched it for long.
    redis.xclaim(stream, group, consumer, 0, id, 'IDLE', leftMs, 'JUSTID').catch(() => {});
  }

  /** Names are new at every start, so Redis would remember every process that ever was. */
  async function forgetConsumers(): Promise<void> {
    const consumers = (await redis.xinfo('CONSUMERS', stream, group)) as unknown[][];
    for (const flat of consumers) {
      const known = new Map<unknown, unknown>();
      for (let index = 0; index + 1 < flat.length; index += 2) known.set(flat[index], flat[index + 1]);
      const isGone = Number(known.get('idle')) > consumerGoneMs && Number(known.get('pending')) === 0;
      if (isGone) await redis.xgroup('DELCONSUMER', stream, group, String(known.get('name')));
    }
  }

  return {
    leave,
    async stop() {
      stopping = true;
      clearTimeout(timer);
      await round;
    },
    close: () => clearInterval(touching),
  };
}

import type { Redis } from 'ioredis';
import { decodeEntry, type Entry, type EntryCheck, isUnreadable, type Unreadable } from './entry.ts';
import type { BusPart } from './pause.ts';
import { reasonOf } from './refusal.ts';

const roundsBetweenForgetting = 100;
/** Rounds that fail come less and less often. */
const everyMaxMs = 5_000;
const pageEntries = 100;
/** This long after its deadline nobody waits for an entry, and a consumer that knew it would have claimed it. */
const leftMs = 60_000;

type Options<T> = EntryCheck & {
  redis: Redis;
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
};

/**
 * Takes over entries whose consumer has not touched them for `idleMs`: it died, froze, or lost its connection
 * in the middle of a reply. Entries that this process itself is working on, claimed ones too, are touched all the
 * while, so that no other process takes them while it lives.
 *
 * Guarantee: one entry at a time; the next one is claimed when `onEntry` has resolved. An entry can be claimed
 * while its first consumer still works on it (it was frozen and woke up): what runs twice must be idempotent.
 *
 * @param now milliseconds since the epoch, by Redis's clock
 * @param onUnreadable gets what no process of this release can read; what is of another layout, or not signed with a key
 *   that is known here, is left to others first
 * @param onRemoved an entry that was left, and that nobody took
 * @param own the ids of entries that this process works on
 * @param onEntry gets an entry and how often it has been given to a consumer, this time included
 * @param consumerGoneMs a consumer without pending entries that was silent for so long is gone, and is forgotten
 */
export function startClaims<T>(options: Options<T>): Claims<T> {
  return new Claims(options);
}

export class Claims<T> {
  readonly #options: Options<T>;
  readonly #touching: NodeJS.Timeout;
  /** Entries that are left to others, and when they are removed. */
  readonly #left = new Map<string, number>();
  #timer: NodeJS.Timeout;
  #round: Promise<void> = Promise.resolve();
  #rounds = 0;
  #failures = 0;
  #claimed: string | undefined;
  #isStopping = false;

  constructor(options: Options<T>) {
    this.#options = options;
    this.#timer = setTimeout(() => this.#nextRound(), options.everyMs);
    this.#touching = setInterval(() => void this.#touch().catch(() => {}), options.idleMs / 4);
  }

  /**
   * Leaves an entry of this consumer to others, who may take it over at once. It is not claimed here again, and
   * removed when nobody has taken it so long after its deadline.
   */
  leave(id: string, deadline: number, keptMs: number = leftMs): void {
    const { redis, stream, group, consumer, now } = this.#options;
    const earliest = now() - leftMs;
    for (const [other, removedAt] of this.#left) {
      if (removedAt > earliest) break;
      this.#left.delete(other);
    }
    this.#left.set(id, deadline + keptMs);
    // As if nobody had touched it for long.
    redis.xclaim(stream, group, consumer, 0, id, 'IDLE', leftMs, 'JUSTID').catch(() => {});
  }

  /** Claims no further entries; resolves when the one that was claimed has been handled. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** Ends the touching of entries: call it when all work is done. */
  close(): void {
    clearInterval(this.#touching);
  }

  async #touch(): Promise<void> {
    const { redis, stream, group, consumer, own } = this.#options;
    if (redis.status !== 'ready') return;
    const ids = this.#claimed ? [...own(), this.#claimed] : own();
    // JUSTID: a touch is no delivery and does not count as one.
    if (ids.length > 0) await redis.xclaim(stream, group, consumer, 0, ...ids, 'JUSTID');
  }

  #nextRound(): void {
    this.#round = this.#runRound().then(() => {
      const { everyMs } = this.#options;
      this.#claimed = undefined;
      const pauseMs = Math.min(everyMs * 2 ** Math.min(this.#failures, 10), Math.max(everyMs, everyMaxMs));
      if (!this.#isStopping) this.#timer = setTimeout(() => this.#nextRound(), pauseMs);
    });
  }

  async #runRound(): Promise<void> {
    const { redis, part } = this.#options;
    if (redis.status !== 'ready') return;
    try {
      await this.#claimAll();
      this.#failures = 0;
      part.works();
    } catch (error) {
      this.#failures += 1;
      part.failed(reasonOf(error));
    }
  }

  async #claimAll(): Promise<void> {
    const { redis, stream, group, idleMs } = this.#options;
    // Those that became idle because this very process was frozen are not for itself to claim.
    await this.#touch();
    for (let start = '-', isLast = false; !isLast && !this.#isStopping; ) {
      const pending = (await redis.xpending(stream, group, 'IDLE', idleMs, start, '+', pageEntries)) as [
        id: string,
        holder: string,
        idleMs: number,
        deliveries: number,
      ][];
      for (const [id, , , deliveries] of pending) {
        if (!this.#isStopping) await this.#claim(id, deliveries + 1);
      }
      isLast = pending.length < pageEntries;
      start = `(${pending.at(-1)?.[0]}`;
    }
    this.#rounds += 1;
    // Nice to have: the user may lack the right to look.
    if (this.#rounds % roundsBetweenForgetting === 1) await this.#forgetConsumers().catch(() => {});
  }

  async #claim(id: string, deliveries: number): Promise<void> {
    const { redis, stream, group, consumer, idleMs, onEntry, onUnreadable, now } = this.#options;
    const removedAt = this.#left.get(id);
    if (removedAt !== undefined) return removedAt < now() ? this.#remove(id) : undefined;
    // Nothing comes back if another process was faster, or the entry is gone.
    const [claimed] = (await redis.xclaim(stream, group, consumer, idleMs, id)) as (
      | [id: string, fields: string[]]
      | null
    )[];
    if (!claimed?.[1]) return;
    this.#claimed = id;
    const entry = decodeEntry<T>(id, claimed[1], this.#options);
    if (isUnreadable(entry)) onUnreadable(id, entry);
    else await onEntry(entry, deliveries);
    this.#claimed = undefined;
  }

  async #remove(id: string): Promise<void> {
    const { redis, stream, group, onRemoved } = this.#options;
    this.#left.delete(id);
    // As when it is answered: the other way round, a break between the two leaves an entry that nobody owns.
    await redis.xdel(stream, id);
    if ((await redis.xack(stream, group, id)) > 0) onRemoved(id);
  }

  /** Names are new at every start, so Redis would remember every process that ever was. */
  async #forgetConsumers(): Promise<void> {
    const { redis, stream, group, consumerGoneMs = 600_000 } = this.#options;
    const consumers = (await redis.xinfo('CONSUMERS', stream, group)) as unknown[][];
    for (const flat of consumers) {
      const known = new Map<unknown, unknown>();
      for (let index = 0; index + 1 < flat.length; index += 2) known.set(flat[index], flat[index + 1]);
      const isGone = Number(known.get('idle')) > consumerGoneMs && Number(known.get('pending')) === 0;
      if (isGone) await redis.xgroup('DELCONSUMER', stream, group, String(known.get('name')));
    }
  }
}

import type { Redis } from 'ioredis';
import { decodeEntry, type Entry } from './entry.ts';
import type { BusPart } from './pause.ts';
import { reasonOf } from './refusal.ts';

export type Claims = {
  /** Claims no further entries; resolves when the one that was claimed has been handled. */
  stop(): Promise<void>;
  /** Touches no entry any more: when all work is done. */
  close(): void;
};

const roundsBetweenForgetting = 100;
/** Rounds that fail come less and less often. */
const everyMaxMs = 5_000;

/**
 * Takes over entries whose consumer has not touched them for `idleMs`: it died, froze, or lost its connection
 * in the middle of a reply. Entries that this process itself is working on, claimed ones too, are touched all the
 * while, so that nobody takes them while it lives.
 *
 * Guarantee: one entry at a time; the next one is claimed when `onEntry` has resolved. An entry can be claimed
 * while its first consumer still works on it (it was frozen and woke up): what runs twice must be idempotent.
 *
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
  onUnreadable(id: string, reason: string): void;
  part: BusPart;
  consumerGoneMs?: number;
}): Claims {
  const { redis, stream, group, consumer, idleMs, everyMs, own, onEntry, onUnreadable, part } = options;
  const { consumerGoneMs = 600_000 } = options;
  let stopping = false;
  let claimed: string | undefined;
  let round: Promise<void> = Promise.resolve();
  let timer = setTimeout(next, everyMs);
  let rounds = 0;
  let failures = 0;
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
    let cursor = '0-0';
    do {
      const [following, [entry]] = (await redis.xautoclaim(
        stream,
        group,
        consumer,
        idleMs,
        cursor,
        'COUNT',
        1,
      )) as [string, [string, string[]][]];
      cursor = following;
      if (entry) await handle(...entry);
    } while (cursor !== '0-0' && !stopping);
    rounds += 1;
    // Nice to have: the user may lack the right to look.
    if (rounds % roundsBetweenForgetting === 1) await forgetConsumers().catch(() => {});
  }

  async function handle(id: string, fields: readonly string[]): Promise<void> {
    claimed = id;
    const [pending] = (await redis.xpending(stream, group, id, id, 1)) as [string, string, number, number][];
    const entry = decodeEntry<T>(id, fields);
    if (typeof entry === 'string') onUnreadable(id, entry);
    else if (pending?.[1] === consumer) await onEntry(entry, pending[3]);
    claimed = undefined;
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
    async stop() {
      stopping = true;
      clearTimeout(timer);
      await round;
    },
    close: () => clearInterval(touching),
  };
}

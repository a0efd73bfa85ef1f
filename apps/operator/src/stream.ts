import type { Names } from '@hooligram/bus';
import type { Redis } from './stores/redis.ts';

export type Stream = {
  readonly entries: number;
  /** Entries that cores have taken and not finished. */
  readonly pending: number;
  /** Entries that no core has taken yet; null if Redis does not know. */
  readonly lag: number | null;
  /** Age of the oldest entry; null if there is none. */
  readonly oldest_ms: number | null;
};

/** How far the cores are with the requests of the gateways. */
export async function readStream(redis: Redis, names: Pick<Names, 'requests' | 'cores'>): Promise<Stream> {
  const [seconds, micros] = await redis.time();
  const now = Number(seconds) * 1_000 + Number(micros) / 1_000;
  const [entries, oldest, groups] = await Promise.all([
    redis.xlen(names.requests),
    redis.xrange(names.requests, '-', '+', 'COUNT', 1),
    // Without a stream there is no group: no core was ever here.
    redis.xinfo('GROUPS', names.requests).catch(() => []),
  ]);
  const group = (groups as unknown[][]).map(fieldsOf).find(({ name }) => name === names.cores);
  const oldestAt = oldest[0] && Number(oldest[0][0].split('-')[0]);
  return {
    entries,
    pending: Number(group?.pending ?? 0),
    // Redis 6.2 has no such field.
    lag: group?.lag === undefined || group.lag === null ? null : Number(group.lag),
    oldest_ms: oldestAt ? Math.max(0, Math.round(now - oldestAt)) : null,
  };
}

/** Of all Redis together: the sums, and the oldest entry of all. */
export function joinStreams(streams: readonly Stream[]): Stream {
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const known = <T>(values: readonly (T | null)[]) => values.filter((value) => value !== null);
  const [lags, ages] = [
    known(streams.map(({ lag }) => lag)),
    known(streams.map(({ oldest_ms }) => oldest_ms)),
  ];
  return {
    entries: sum(streams.map(({ entries }) => entries)),
    pending: sum(streams.map(({ pending }) => pending)),
    lag: lags.length < streams.length ? null : sum(lags),
    oldest_ms: ages.length === 0 ? null : Math.max(...ages),
  };
}

function fieldsOf(flat: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(flat.flatMap((name, at) => (at % 2 === 0 ? [[String(name), flat[at + 1]]] : [])));
}

import type { Redis } from 'ioredis';
import { z } from 'zod';

/** So many are kept, or some more; the oldest give way. */
const keptMax = 1_000;

/** A request that was given up: its client got FAILURE, and it will never happen. Without phone numbers and texts. */
export type DeadRequest = z.output<typeof schema>;

const schema = z.object({
  type: z.string(),
  request_id: z.string(),
  params: z.record(z.string(), z.unknown()),
  reason: z.string(),
});

/** Keeps requests that were given up for an operator to look at, under one key: `Names.deadRequests`. */
export class DeadRequests {
  readonly #redis: Redis;
  readonly #key: string;

  constructor(redis: Redis, key: string) {
    this.#redis = redis;
    this.#key = key;
  }

  /** Rejects while Redis is away: it is lost then, but for the log. */
  async keep(request: DeadRequest): Promise<void> {
    await this.#redis.xadd(this.#key, 'MAXLEN', '~', keptMax, '*', 'request', JSON.stringify(request));
  }

  count(): Promise<number> {
    return this.#redis.xlen(this.#key);
  }

  /** The oldest first. What this release cannot read has an empty type. */
  async list(): Promise<(DeadRequest & { readonly id: string; readonly date: Date })[]> {
    const entries = await this.#redis.xrange(this.#key, '-', '+');
    return entries.map(([id, fields]) => ({
      ...read(fields[1] ?? ''),
      id,
      date: new Date(Number(id.split('-')[0])),
    }));
  }

  /** @returns whether it was there */
  async drop(id: string): Promise<boolean> {
    return (await this.#redis.xdel(this.#key, id)) > 0;
  }
}

function read(text: string): DeadRequest {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return { type: '', request_id: '', params: {}, reason: 'cannot be read by this release' };
  }
}

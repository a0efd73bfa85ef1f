import type { Rate } from '@hooligram/service';
import type { UserLimit } from './user-limit.ts';

/** A core counts in Redis whenever a user has done so great a part of the rate here. */
const part = 1 / 20;

type Count = { here: number; counted: number; elsewhere: number; lastId: string | undefined };

/**
 * What users do in a window of time, such as sending messages, over all cores. Counting waits for nothing: a core counts
 * for itself, and every now and then, for users who do much, in Redis; what that answers is known a moment later. So
 * each core may let a twentieth of the rate more through, and of a burst that reaches all cores in one moment each may
 * let the rate through.
 */
export class UserRate {
  readonly #rate: Rate;
  readonly #shared: Pick<UserLimit, 'add'>;
  readonly #step: number;
  #counts = new Map<number, Count>();
  #window = 0;

  constructor(rate: Rate, shared: Pick<UserLimit, 'add'>) {
    this.#rate = rate;
    this.#shared = shared;
    this.#step = Math.max(1, Math.floor(rate.points * part));
  }

  /**
   * Counts one.
   * @param nowMs the same clock in all cores
   * @param id of the request, if its second run is not to count: the last one of a user here is known
   * @returns whether it is one too many
   */
  isOver(userId: number, nowMs: number, id?: string): boolean {
    const window = Math.floor(nowMs / (this.#rate.seconds * 1_000));
    if (window !== this.#window) {
      this.#window = window;
      this.#counts = new Map();
    }
    let count = this.#counts.get(userId);
    if (!count) {
      count = { here: 0, counted: 0, elsewhere: 0, lastId: undefined };
      this.#counts.set(userId, count);
    }
    if (id !== undefined && id === count.lastId) return false;
    if (count.here + count.elsewhere >= this.#rate.points) return true;
    count.lastId = id;
    count.here += 1;
    if (count.here - count.counted >= this.#step) void this.#share(userId, count);
    return false;
  }

  /** In how many seconds the next window begins. */
  waitSeconds(nowMs: number): number {
    const windowMs = this.#rate.seconds * 1_000;
    return (windowMs - (nowMs % windowMs)) / 1_000;
  }

  async #share(userId: number, count: Count): Promise<void> {
    const points = count.here - count.counted;
    count.counted = count.here;
    const all = await this.#shared.add(userId, points);
    count.elsewhere = Math.max(count.elsewhere, all - count.counted);
  }
}

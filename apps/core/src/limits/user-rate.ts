import type { Rate } from '@hooligram/service';
import { orGiveBack } from './limit.ts';
import type { UserLimit } from './user-limit.ts';

/** A core counts in Redis whenever a user has done so great a part of the rate here. */
const part = 1 / 20;

/**
 * What one user does in one window of time: how often here, under way or done; how much of what is done Redis knows; how
 * often on other cores.
 */
type Count = { readonly userId: number; here: number; done: number; counted: number; elsewhere: number };

/** One that was counted for a user, as `take` returns it. */
export type TakenOfUser = Count;

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
   * Counts one. What is done then goes through `during`.
   * @param nowMs the same clock in all cores
   * @returns undefined if it is one too many
   */
  take(userId: number, nowMs: number): TakenOfUser | undefined {
    const window = Math.floor(nowMs / (this.#rate.seconds * 1_000));
    if (window !== this.#window) {
      this.#window = window;
      this.#counts = new Map();
    }
    let count = this.#counts.get(userId);
    if (!count) {
      count = { userId, here: 0, done: 0, counted: 0, elsewhere: 0 };
      this.#counts.set(userId, count);
    }
    if (count.here + count.elsewhere >= this.#rate.points) return undefined;
    count.here += 1;
    return count;
  }

  /**
   * Does what these were counted for. If that fails they count no more, because it is run again; other cores learn only of
   * what was done.
   * @throws what it threw
   */
  async during<T>(taken: readonly TakenOfUser[], run: () => Promise<T>): Promise<T> {
    const giveBack = async () => {
      for (const count of taken) count.here -= 1;
    };
    const result = await orGiveBack({ giveBack }, run);
    for (const count of taken) this.#done(count);
    return result;
  }

  /** In how many seconds the next window begins. */
  waitSeconds(nowMs: number): number {
    const windowMs = this.#rate.seconds * 1_000;
    return (windowMs - (nowMs % windowMs)) / 1_000;
  }

  #done(count: Count): void {
    count.done += 1;
    if (count.done - count.counted < this.#step) return;
    // Of a window that has ended meanwhile nothing is to be told.
    if (this.#counts.get(count.userId) === count) void this.#share(count);
  }

  async #share(count: Count): Promise<void> {
    const points = count.done - count.counted;
    count.counted = count.done;
    const all = await this.#shared.add(count.userId, points);
    count.elsewhere = Math.max(count.elsewhere, all - count.counted);
  }
}

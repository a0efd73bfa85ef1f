import { LoadProcess } from '../load/load-process.ts';
import { layered } from './populations.ts';
import { storeGroups } from './store-groups.ts';
import { populate, type Trial } from './trial.ts';

export const groupsEach = 10;
/** Of one load process, from one address: there and here a process may have 20,000 files open or so. */
const partMax = 15_000;
/** Numbers that the others do not have. */
const firstOfAll = 1_000_000;
const signInsAtOnce = 50;

type Part = {
  readonly load: LoadProcess;
  readonly users: number;
  readonly firstNumber: number;
  readonly localAddress: string;
};

/**
 * Users who do nothing, each in ten groups. Each 15,000 of them have a load process, which gives way to all others,
 * and connect from a loopback address of their own.
 */
export class Crowd {
  readonly #parts: readonly Part[];
  readonly #groupSize: number;

  /**
   * @param size how many users; a multiple of `groupSize`
   * @param groupSize members of each group
   */
  constructor({ target, signal }: Trial, size: number, groupSize: number) {
    this.#groupSize = groupSize;
    const { firstNumber = 5_550_000_000 } = target;
    this.#parts = Array.from({ length: Math.ceil(size / partMax) }, (_, index) => ({
      load: new LoadProcess(undefined, undefined, { givesWay: true }),
      users: Math.min(partMax, size - index * partMax),
      firstNumber: firstNumber + firstOfAll + index * partMax,
      localAddress: `127.0.0.${index + 2}`,
    }));
    signal.addEventListener('abort', () => this.stop());
  }

  /** Signs all of them up, and stores their groups. Then they are away. */
  async signUp(trial: Trial): Promise<void> {
    const stores = trial.target.stores?.();
    if (!stores) throw new Error('the database is not ours');
    for (const { load, users, firstNumber, localAddress } of this.#parts) {
      const target = { ...trial.target, firstNumber };
      await populate({ ...trial, load, target }, { users, groups: [], streams: 0, localAddress });
      await load.call('disconnect');
      const { groups } = layered(users, this.#groupSize, groupsEach);
      trial.log(`${groups.length} groups are stored`);
      const sids = groups.map((members) => members.map((index) => `1.${firstNumber + index}`));
      await storeGroups(stores.databaseUrl, sids);
    }
  }

  /** Signs all of them in. Resolves when they have received their groups. */
  async signIn(): Promise<void> {
    for (const { load, users } of this.#parts) await load.call('storm', signInsAtOnce, users * groupsEach);
  }

  stop(): void {
    for (const { load } of this.#parts) load.stop();
  }
}

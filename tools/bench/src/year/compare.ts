import type { Db } from '@hooligram/db';
import { spread } from '../report/report.ts';
import type { Case } from './cases.ts';
import type { Filled } from './fill.ts';
import { type Blocks, Plans } from './plans.ts';

type Side = { readonly db: Db; readonly filled: Filled };

/** Medians. */
type Cost = { readonly ms: number; readonly blocks: number; readonly read: number };

type Compared = {
  readonly full: Cost;
  readonly empty: Cost;
  /** Of the full database, then of the empty one. */
  readonly plans: readonly [string, string];
};

const timesMax = 500;
/** So many times before, unmeasured: sessions plan, and read what everybody uses. */
const warmUps = 20;
const counts = 9;

/** Measures cases on a full and on an empty database in turn, so that the machine's own speed is the same for both. */
export class Comparison {
  readonly #sides: readonly [Side, Side];
  readonly #plans: readonly [Plans, Plans];
  #turn = 0;

  private constructor(sides: readonly [Side, Side], plans: readonly [Plans, Plans]) {
    this.#sides = sides;
    this.#plans = plans;
  }

  static async of(full: Side, empty: Side): Promise<Comparison> {
    return new Comparison([full, empty], [await Plans.of(full.db), await Plans.of(empty.db)]);
  }

  /** @param seconds at most; then what it costs in blocks is counted, nine times */
  async measure(each: Case, seconds: number): Promise<Compared> {
    if (each.timesMax === undefined) for (let time = 0; time < warmUps; time += 1) await this.#timed(each);
    const took: [number[], number[]] = [[], []];
    const endsAt = performance.now() + seconds * 1_000;
    for (
      let time = 0;
      time < (each.timesMax ?? timesMax) && (time < counts || performance.now() < endsAt);
    ) {
      const [full, empty] = await this.#timed(each);
      took[0].push(full);
      took[1].push(empty);
      time += 1;
    }
    const looked: [Blocks[], Blocks[]] = [[], []];
    for (let time = 0; time < Math.min(counts, each.timesMax ?? counts); time += 1) {
      this.#turn += 1;
      for (const place of [0, 1] as const) {
        looked[place].push(await this.#plans[place].blocksOf(() => this.#ask(each, place)));
      }
    }
    this.#turn += 1;
    const plans = [
      await this.#plans[0].textOf(() => this.#ask(each, 0)),
      await this.#plans[1].textOf(() => this.#ask(each, 1)),
    ] as const;
    return { full: costOf(took[0], looked[0]), empty: costOf(took[1], looked[1]), plans };
  }

  /** Each of the two comes first as often. @returns milliseconds on the full one and on the empty one */
  async #timed(each: Case): Promise<[number, number]> {
    this.#turn += 1;
    const took: [number, number] = [0, 0];
    for (const place of this.#turn % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const startedAt = performance.now();
      await this.#ask(each, place);
      took[place] = performance.now() - startedAt;
    }
    return took;
  }

  #ask(each: Case, place: 0 | 1): Promise<unknown> {
    const { db, filled } = this.#sides[place];
    return each.ask(db, filled, this.#turn);
  }
}

function costOf(ms: readonly number[], looked: readonly Blocks[]): Cost {
  return {
    ms: spread(ms).median,
    blocks: spread(looked.map(({ all }) => all)).median,
    read: spread(looked.map(({ read }) => read)).median,
  };
}

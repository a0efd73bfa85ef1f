import type { Level } from '@hooligram/contract';

/** Gateways tell each other how full they are this often. */
export const levelEveryMs = 10_000;
/** One that was not heard for so long is gone. */
const forgottenAfterMs = 3.5 * levelEveryMs;
/** After a share was sent away it takes so many looks until the others' numbers have settled. */
const looksAfterShed = 2;
/** A load balancer that brings them back at once has its way: the pause doubles up to so many looks. */
const looksAfterShedMax = 64;

type Options = {
  readonly node: string;
  /** Above the mean by this factor is too full. */
  readonly factor: number;
  /** This gateway, now. */
  level(): Omit<Level, 'node'>;
  shed(connections: number): void;
  now?(): number;
};

/**
 * Levels the load of gateways: each knows of the others how many connections they have, and one that is too far above
 * the mean sends its surplus away. Where these go is the load balancer's decision.
 */
export class Levelling {
  readonly #options: Options;
  readonly #now: () => number;
  readonly #others = new Map<string, { readonly level: Level; readonly at: number }>();
  #looksToWait = looksAfterShed;
  #pauseLooks = looksAfterShed;

  constructor(options: Options) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  receive(level: Level): void {
    if (level.node !== this.#options.node) this.#others.set(level.node, { level, at: this.#now() });
  }

  /** To be called every `levelEveryMs`. @returns what to tell the others */
  look(): Level {
    const { node, factor, level, shed } = this.#options;
    const own = { node, ...level() };
    for (const [other, { at }] of this.#others) {
      if (this.#now() - at > forgottenAfterMs) this.#others.delete(other);
    }
    if (this.#looksToWait > 0) {
      this.#looksToWait -= 1;
      return own;
    }
    const others = [...this.#others.values()].filter(({ level: { is_open } }) => is_open);
    const surplus = own.is_open
      ? surplusOf(
          own.connections,
          others.map(({ level: { connections } }) => connections),
          factor,
        )
      : 0;
    if (surplus > 0) {
      shed(surplus);
      this.#looksToWait = this.#pauseLooks;
      this.#pauseLooks = Math.min(2 * this.#pauseLooks, looksAfterShedMax);
    } else this.#pauseLooks = looksAfterShed;
    return own;
  }
}

/**
 * How many connections a gateway has too many: what is above the mean, if that is more than a factor and more than
 * chance explains. A load balancer that chooses by chance leaves a gateway twice the square root of the mean above it now
 * and then; levelling that would send people away for nothing.
 */
export function surplusOf(own: number, others: readonly number[], factor: number): number {
  if (others.length === 0) return 0;
  const mean = others.reduce((sum, connections) => sum + connections, own) / (others.length + 1);
  const most = Math.max(mean * factor, mean + 2 * Math.sqrt(mean));
  return own > most ? Math.floor(own - mean) : 0;
}

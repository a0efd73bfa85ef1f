import type { Level } from '@hooligram/contract';

/** Gateways tell each other how full they are this often. */
export const levelEveryMs = 5_000;
/** One that was not heard for so long is gone. */
const forgottenAfterMs = 3.5 * levelEveryMs;
/** A new gateway does not know yet how full the others are. */
const looksAtStart = 2;
/** So much of what was sent away has to stay away; else the load balancer has its way, and the pauses double. */
const shareAwayMin = 1 / 8;
const pauseLooksMin = 2;
const pauseLooksMax = 128;
/** After so many looks without a surplus it is level: clients who were sent away have come to where they stay. */
const calmLooks = 6;
/** Who levels already goes on to this part of what it takes to begin. */
const goOnAbove = 1 / 4;

type Options = {
  readonly node: string;
  /** Above the mean by this factor is too full. */
  readonly factor: number;
  /** This gateway, now. */
  level(): Omit<Level, 'node'>;
  /** Whether those of an earlier look are still being sent away. */
  isShedding(): boolean;
  shed(connections: number): void;
  now?(): number;
};

/**
 * Levels the load of gateways: each knows of the others how many connections they have, and one that is too far above
 * the mean sends its surplus away. Where these go is the load balancer's decision. One that has read its configuration
 * again does not count who came before, and gives every gateway the same share of them: then it takes several rounds,
 * each of which leaves a part of the surplus. As long as that shrinks, the next look is the next round.
 */
export class Levelling {
  readonly #options: Options;
  readonly #now: () => number;
  readonly #others = new Map<string, { readonly level: Level; readonly at: number }>();
  #looksToWait = looksAtStart;
  #pauseLooks = pauseLooksMin;
  #calmLooks = calmLooks;
  /** How many were sent away since the last pause, and the surplus before. */
  #sentAway = 0;
  #surplusBefore = 0;

  constructor(options: Options) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  receive(level: Level): void {
    if (level.node !== this.#options.node) this.#others.set(level.node, { level, at: this.#now() });
  }

  /** To be called every `levelEveryMs`. @returns what to tell the others */
  look(): Level {
    const { node, level, isShedding } = this.#options;
    const own = { node, ...level() };
    for (const [other, { at }] of this.#others) {
      if (this.#now() - at > forgottenAfterMs) this.#others.delete(other);
    }
    if (this.#looksToWait > 0) this.#looksToWait -= 1;
    else if (own.is_open && !isShedding()) this.#level(own.connections);
    return own;
  }

  #level(connections: number): void {
    const { factor, shed } = this.#options;
    const others = [...this.#others.values()].filter(({ level: { is_open } }) => is_open);
    const surplus = surplusOf(
      connections,
      others.map(({ level }) => level.connections),
      { factor, isLevelling: this.#calmLooks < calmLooks },
    );
    if (surplus === 0) {
      this.#calmLooks = Math.min(this.#calmLooks + 1, calmLooks);
      if (this.#calmLooks === calmLooks) this.#begin(pauseLooksMin);
      return;
    }
    this.#calmLooks = 0;
    if (this.#sentAway > 0 && this.#surplusBefore - surplus < this.#sentAway * shareAwayMin) {
      this.#looksToWait = this.#pauseLooks;
      this.#begin(Math.min(2 * this.#pauseLooks, pauseLooksMax));
      return;
    }
    if (this.#sentAway === 0) this.#surplusBefore = surplus;
    this.#sentAway += surplus;
    shed(surplus);
  }

  #begin(pauseLooks: number): void {
    this.#pauseLooks = pauseLooks;
    this.#sentAway = 0;
    this.#surplusBefore = 0;
  }
}

type Bounds = {
  readonly factor: number;
  /** Whether a surplus was found lately: what is left of it is sent away, too. */
  readonly isLevelling?: boolean;
};

/**
 * How many connections a gateway has too many: what is above the mean, if that is more than a factor and more than
 * chance explains. A load balancer that chooses by chance leaves a gateway twice the square root of the mean above it now
 * and then; levelling that would send people away for nothing.
 */
export function surplusOf(own: number, others: readonly number[], { factor, isLevelling }: Bounds): number {
  if (others.length === 0) return 0;
  const mean = others.reduce((sum, connections) => sum + connections, own) / (others.length + 1);
  const above = Math.max(mean * (factor - 1), 2 * Math.sqrt(mean));
  return own - mean > (isLevelling ? above * goOnAbove : above) ? Math.floor(own - mean) : 0;
}

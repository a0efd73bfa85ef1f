import { Allowance } from './allowance.ts';
import { DelayedHandshakes } from './delayed-handshakes.ts';
import type { LoopWatch } from './loop-watch.ts';

/** However late the event loop is, so many a second get in: that is what comes and goes on a gateway that is just busy. */
const leastPerSecond = 100;
/**
 * While others are there so many a second are let in at first, and more only while some wait and the event loop is in time:
 * the first moment of a storm would else be everybody's at once.
 */
const beginsWith = 1_000;
/** In each second in which the event loop is never late so many more. */
const growsPerSecond = 500;
/** What may come at once is what the rate gives in 10 ms, or what `beginsWith` does: it is looked at late when it is small. */
const atOncePart = 100;
/** Those whose time is over are refused over several turns: very many may have come in one. */
const refusedAtOnce = 32;

/** So many of those that may wait can be delayed: who has to be delayed leaves the others room. */
const delayedPart = 2;

export type LineRefusal = 'line full' | 'waited' | 'stopping';

/** A handshake without an answer, which costs its connection and little more. */
export type WaitingHandshake = {
  /** Networks take turns. */
  readonly network: string;
  letIn(): void;
  refuse(reason: LineRefusal): void;
};

type Loop = Pick<LoopWatch, 'begin' | 'end' | 'isNoticed'>;

type Options = {
  readonly perSecondMax: number;
  readonly waitingMax: number;
  readonly waitMaxMs: number;
  /** See Allowance. */
  readonly lateMaxMs: number;
  onLetIn(waitedMs: number): void;
};

/**
 * Where handshakes wait when very many come at once. A client that is refused comes again, at once or a second later, and a
 * refusal costs as much as an upgrade; one that waits costs nothing meanwhile. They are let in at the rate that this
 * process can do without being late for those who are in. Each network's in their order, and networks in turn.
 */
export class HandshakeLine {
  readonly #options: Options;
  readonly #loop: Loop;
  readonly #nowMs: () => number;
  readonly #perSecond: Allowance;
  /** In the order of their turns. */
  readonly #networks = new Map<string, Set<WaitingHandshake>>();
  /** Since when, in the order in which they came. */
  readonly #since = new Map<WaitingHandshake, number>();
  readonly #delayed: DelayedHandshakes<WaitingHandshake>;
  #left: number;
  #filledAtMs: number;
  #isOver = false;

  /** @param nowMs the clock of `loop` */
  constructor(options: Options, loop: Loop, nowMs: () => number = () => performance.now()) {
    const { perSecondMax, lateMaxMs } = options;
    this.#options = options;
    this.#loop = loop;
    this.#nowMs = nowMs;
    this.#filledAtMs = nowMs();
    const least = Math.min(leastPerSecond, perSecondMax);
    const limits = { least, most: perSecondMax, lateMaxMs, growsPerSecond };
    this.#perSecond = new Allowance(limits, this.#filledAtMs);
    this.#left = this.#atOnce(perSecondMax);
    this.#delayed = new DelayedHandshakes(options.waitingMax / delayedPart);
  }

  get waiting(): number {
    return this.#since.size + this.#delayed.size;
  }

  /** How many a second are let in now. */
  get perSecond(): number {
    return this.#perSecond.at(this.#nowMs());
  }

  waitingOf(network: string): number {
    return (this.#networks.get(network)?.size ?? 0) + this.#delayed.of(network);
  }

  /** Whether one more may be let in at once; counts it if so. */
  passes(): boolean {
    if (this.#since.size > 0) return false;
    const nowMs = this.#nowMs();
    const upTo = this.#loop.isNoticed(nowMs) ? beginsWith : Number.POSITIVE_INFINITY;
    this.#fill(nowMs, this.#perSecond.at(nowMs, upTo));
    return this.#takeOne();
  }

  /** Lets it in when its turn comes, or refuses it. */
  enter(handshake: WaitingHandshake): void {
    if (this.#isOver || this.#since.size >= this.#options.waitingMax) {
      handshake.refuse(this.#isOver ? 'stopping' : 'line full');
      return;
    }
    const { network } = handshake;
    const those = this.#networks.get(network);
    if (those) those.add(handshake);
    else this.#networks.set(network, new Set([handshake]));
    this.#since.set(handshake, this.#nowMs());
    this.#loop.begin(this.look);
  }

  /** Lets it come only after so many milliseconds. Those of everybody else do not wait behind it. */
  delay(handshake: WaitingHandshake, delayMs: number): void {
    if (this.#isOver || !this.#delayed.add(handshake, this.#nowMs() + delayMs)) {
      handshake.refuse(this.#isOver ? 'stopping' : 'line full');
      return;
    }
    this.#loop.begin(this.look);
  }

  /** It waits no longer: its client has gone. */
  leave(handshake: WaitingHandshake): void {
    this.#delayed.delete(handshake);
    if (this.#since.delete(handshake)) {
      const those = this.#networks.get(handshake.network);
      those?.delete(handshake);
      if (those?.size === 0) this.#networks.delete(handshake.network);
    }
    if (this.waiting === 0) this.#loop.end(this.look);
  }

  /** Refuses all, and who comes later. */
  close(): void {
    this.#isOver = true;
    for (const handshake of [...this.#since.keys(), ...this.#delayed.all()]) {
      this.leave(handshake);
      handshake.refuse('stopping');
    }
  }

  /** Called every few milliseconds while somebody waits: lets in as many as may be, and refuses who waited too long. */
  readonly look = (nowMs: number, lateMs: number): void => {
    for (const due of this.#delayed.due(nowMs)) this.#come(due);
    if (this.#since.size === 0) {
      if (this.waiting === 0) this.#loop.end(this.look);
      return;
    }
    this.#fill(nowMs, this.#perSecond.look(nowMs, lateMs));
    while (this.#since.size > 0 && this.#takeOne()) this.#letInNext(nowMs);
    let refused = 0;
    for (const [handshake, sinceMs] of this.#since) {
      if (nowMs - sinceMs < this.#options.waitMaxMs || refused === refusedAtOnce) return;
      refused += 1;
      this.leave(handshake);
      handshake.refuse('waited');
    }
  };

  /** Its delay is over. */
  #come(handshake: WaitingHandshake): void {
    if (this.passes()) {
      this.leave(handshake);
      handshake.letIn();
    } else {
      this.#delayed.delete(handshake);
      this.enter(handshake);
    }
  }

  #letInNext(nowMs: number): void {
    const [turn] = this.#networks;
    if (!turn) return;
    const [network, those] = turn;
    const [handshake] = those;
    if (!handshake) return;
    const waitedMs = nowMs - (this.#since.get(handshake) ?? nowMs);
    this.leave(handshake);
    // Behind the others.
    if (this.#networks.delete(network)) this.#networks.set(network, those);
    this.#options.onLetIn(waitedMs);
    handshake.letIn();
  }

  #fill(nowMs: number, perSecond: number): void {
    const more = (perSecond * (nowMs - this.#filledAtMs)) / 1_000;
    this.#left = Math.min(this.#atOnce(perSecond), this.#left + more);
    this.#filledAtMs = nowMs;
  }

  /** How many may come in one turn of the event loop. */
  #atOnce(perSecond: number): number {
    const rate = Math.min(this.#options.perSecondMax, Math.max(beginsWith, perSecond));
    return Math.max(1, rate / atOncePart);
  }

  #takeOne(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

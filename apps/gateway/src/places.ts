import { Allowance } from './allowance.ts';
import type { LoopWatch } from './loop-watch.ts';

/** Gives a place back; calling it again does nothing. */
export type LeavePlace = () => void;

/** Those who take turns with those of other keys. */
type Key = {
  readonly name: string;
  underWay: number;
  /** Each with what lets it in, or sends it away. In the order in which they came. */
  readonly waiting: Map<object, (place: LeavePlace | undefined) => void>;
};

/** Most places of one key: nobody with many connections keeps the others out. */
const placesPerKeyMax = 4;
/** However late the event loop is, an eighth of the places is used: hundreds a second where nothing else is slow. */
const leastPart = 8;
/** From the least to the most in this time, if the event loop is never late. */
const growsInSeconds = 2;
/**
 * While others are there so many may be under way at once when nobody waits, and more only while some wait and the event
 * loop is in time: the first moment of a storm would else be everybody's at once.
 */
const atOnceMax = 8;

type Loop = Pick<LoopWatch, 'begin' | 'end' | 'isNoticed'>;

type Options = {
  /** Most that may be under way. */
  readonly placesMax: number;
  /** See Allowance. */
  readonly lateMaxMs: number;
};

/**
 * How many sign-ins, or other work that gives way to those who chat, are under way on this gateway: fewer while some wait
 * and the event loop is late. The others wait: what they need of the cores is not requested yet, so no patience runs out
 * meanwhile. Keys take turns, and each has few places, so one user with many connections, or one who asks for somebody else's
 * account again and again, keeps nobody waiting.
 */
export class Places {
  readonly #places: Allowance;
  readonly #loop: Loop;
  readonly #nowMs: () => number;
  readonly #keys = new Map<string, Key>();
  /** The keys that have somebody waiting, in the order of their turns. */
  readonly #ring = new Set<Key>();
  /** Goes on behind who had the last turn: a new one would walk over all that were deleted before it. */
  #turns = this.#ring.values();
  /** Who waits, by owner. */
  readonly #waiting = new Map<object, Key>();
  /** Those that were not given back. */
  readonly #taken = new Set<LeavePlace>();
  #underWay = 0;

  /** @param nowMs the clock of `loop` */
  constructor({ placesMax, lateMaxMs }: Options, loop: Loop, nowMs: () => number = () => performance.now()) {
    const least = Math.max(1, placesMax / leastPart);
    const growsPerSecond = (placesMax - least) / growsInSeconds;
    this.#places = new Allowance({ least, most: placesMax, lateMaxMs, growsPerSecond }, nowMs());
    this.#loop = loop;
    this.#nowMs = nowMs;
  }

  /** How many may be under way now. */
  get allowed(): number {
    const nowMs = this.#nowMs();
    const isFirst = this.#waiting.size === 0 && this.#loop.isNoticed(nowMs);
    return Math.floor(this.#places.at(nowMs, isFirst ? atOnceMax : Number.POSITIVE_INFINITY));
  }

  get underWay(): number {
    return this.#underWay;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * @param owner whose work it is: one at a time
   * @param name of the key. Of a sign-in nothing is proven yet, so it has to say who asks, not only as whom
   * @returns the place, once there is one; undefined when the owner left the line before
   */
  enter(owner: object, name: string): Promise<LeavePlace | undefined> {
    const key = this.#keys.get(name) ?? { name, underWay: 0, waiting: new Map() };
    this.#keys.set(name, key);
    const allowed = this.allowed;
    return new Promise((resolve) => {
      key.waiting.set(owner, resolve);
      this.#waiting.set(owner, key);
      this.#ring.add(key);
      this.#giveTurns(allowed);
      if (this.#waiting.size > 0) this.#loop.begin(this.look);
    });
  }

  /** Called every few milliseconds while somebody waits. */
  readonly look = (nowMs: number, lateMs: number): void => {
    this.#giveTurns(Math.floor(this.#places.look(nowMs, lateMs)));
  };

  /** Gives all places back: some will be under way for long, and nobody knows which. */
  leaveAll(): void {
    for (const leavePlace of [...this.#taken]) leavePlace();
  }

  /** The owner does not want a place any more. What it has it keeps. */
  leaveLine(owner: object): void {
    const key = this.#waiting.get(owner);
    if (!key) return;
    const resolve = key.waiting.get(owner);
    key.waiting.delete(owner);
    this.#waiting.delete(owner);
    if (key.waiting.size === 0) this.#ring.delete(key);
    if (this.#waiting.size === 0) this.#loop.end(this.look);
    this.#forget(key);
    resolve?.(undefined);
  }

  #forget(key: Key): void {
    if (key.waiting.size === 0 && key.underWay === 0) this.#keys.delete(key.name);
  }

  #giveTurns(allowed: number): void {
    const perKeyMax = Math.max(1, Math.min(placesPerKeyMax, Math.floor(allowed / 2)));
    for (let passedOver = 0; this.#underWay < allowed && passedOver < this.#ring.size; ) {
      const key = this.#nextKey();
      if (!key) break;
      if (key.underWay >= perKeyMax) {
        passedOver += 1;
        continue;
      }
      passedOver = 0;
      const [next] = key.waiting;
      this.#ring.delete(key);
      if (!next) continue;
      const [owner, resolve] = next;
      key.waiting.delete(owner);
      this.#waiting.delete(owner);
      resolve(this.#place(key));
      if (key.waiting.size > 0) this.#ring.add(key);
    }
    if (this.#waiting.size === 0) this.#loop.end(this.look);
  }

  #nextKey(): Key | undefined {
    const next = this.#turns.next();
    if (!next.done) return next.value;
    this.#turns = this.#ring.values();
    return this.#turns.next().value;
  }

  #place(key: Key): LeavePlace {
    this.#underWay += 1;
    key.underWay += 1;
    const leavePlace = () => {
      if (!this.#taken.delete(leavePlace)) return;
      this.#underWay -= 1;
      key.underWay -= 1;
      this.#forget(key);
      this.#giveTurns(this.allowed);
    };
    this.#taken.add(leavePlace);
    return leavePlace;
  }
}

import type { OthersThere } from './others-there.ts';

/** Smaller than a turn of the event loop that others would notice, larger than what the clock of timers can tell. */
const lookEveryMs = 5;

/** @param lateMs by how much the event loop was late, at a time of a clock that never goes back; 0 while nobody would notice */
export type Look = (nowMs: number, lateMs: number) => void;

/**
 * How late the event loop is: by how much a timer comes after its time. That contains long turns of this process, and
 * what others of its machine take from it. While nobody looks there is no timer, so a quiet gateway is not woken. While
 * nobody is there who would notice it is not late: to let fewer in would only make those wait who come.
 */
export class LoopWatch {
  readonly #others: Pick<OthersThere, 'at'>;
  readonly #looks = new Set<Look>();
  #timer: NodeJS.Timeout | undefined;
  #dueAtMs = 0;

  constructor(others: Pick<OthersThere, 'at'>) {
    this.#others = others;
  }

  /** Whether it would be noticed that the event loop is late. */
  isNoticed(nowMs: number): boolean {
    return this.#others.at(nowMs);
  }

  /** Calls it every 5 ms, or as soon after that as the event loop can, until `end`. */
  begin(look: Look): void {
    this.#looks.add(look);
    if (this.#timer) return;
    this.#dueAtMs = performance.now() + lookEveryMs;
    this.#timer = setTimeout(() => this.#look(), lookEveryMs).unref();
  }

  end(look: Look): void {
    this.#looks.delete(look);
  }

  #look(): void {
    if (this.#looks.size === 0) {
      this.#timer = undefined;
      return;
    }
    const nowMs = performance.now();
    const lateMs = this.isNoticed(nowMs) ? Math.max(0, nowMs - this.#dueAtMs) : 0;
    this.#dueAtMs = nowMs + lookEveryMs;
    this.#timer?.refresh();
    for (const look of this.#looks) look(nowMs, lateMs);
  }
}

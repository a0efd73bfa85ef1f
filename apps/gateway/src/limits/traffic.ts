import type { Rate } from '@hooligram/service';

/** What ran out. */
export type Shortage = 'frames' | 'bytes';

export type TrafficRates = {
  readonly frames: Rate;
  readonly bytes: Rate;
  /** Most refusals at once; as many as frames unless given. */
  readonly refusalsMax?: number;
};

/**
 * Two token buckets, of frames and of bytes, that fill again together. Each holds the points of its rate, and an empty one
 * is full after its seconds.
 *
 * The clock is asked only when a bucket is too low: a look at the clock costs more than all the rest. So somebody who was
 * slow for long may take two full buckets in one go.
 */
export class Traffic {
  readonly #rates: TrafficRates;
  readonly #nowMs: () => number;
  #frames: number;
  #bytes: number;
  #filledAtMs: number;
  /** What may still be refused before it is too much: another bucket, because a refusal has a cost, too. */
  #refusals: number;
  readonly #refusalsMax: number;

  /** @param nowMs a clock that never goes back */
  constructor(rates: TrafficRates, nowMs: () => number = monotonicMs) {
    this.#rates = rates;
    this.#nowMs = nowMs;
    this.#frames = rates.frames.points;
    this.#bytes = rates.bytes.points;
    this.#refusalsMax = rates.refusalsMax ?? rates.frames.points;
    this.#refusals = this.#refusalsMax;
    this.#filledAtMs = nowMs();
  }

  /** Takes a frame and its bytes, or nothing. @returns what ran out, or undefined when it was taken */
  take(bytes: number): Shortage | undefined {
    // A frame that is larger than the bucket costs a full one.
    const cost = Math.min(bytes, this.#rates.bytes.points);
    if (this.#frames < 1 || this.#bytes < cost) {
      this.#refill();
      if (this.#frames < 1) return 'frames';
      if (this.#bytes < cost) return 'bytes';
    }
    this.#frames -= 1;
    this.#bytes -= cost;
    return undefined;
  }

  /** What was taken of so many frames was no cost of the client's. */
  giveBack(frames: number): void {
    this.#frames = Math.min(this.#rates.frames.points, this.#frames + frames);
  }

  /** Counts a refusal. @returns false if it is one too many */
  refuse(): boolean {
    if (this.#refusals < 1) return false;
    this.#refusals -= 1;
    return true;
  }

  /** In how many seconds a frame of so many bytes has room, if nothing else comes. */
  waitSeconds(bytes: number): number {
    this.#refill();
    const { frames, bytes: rate } = this.#rates;
    const framesMissing = Math.max(0, 1 - this.#frames);
    const bytesMissing = Math.max(0, Math.min(bytes, rate.points) - this.#bytes);
    return Math.max(
      (framesMissing * frames.seconds) / frames.points,
      (bytesMissing * rate.seconds) / rate.points,
    );
  }

  /** Whether nothing would be forgotten with it. */
  get isFull(): boolean {
    this.#refill();
    const { frames, bytes } = this.#rates;
    return this.#frames >= frames.points && this.#bytes >= bytes.points;
  }

  #refill(): void {
    const nowMs = this.#nowMs();
    const seconds = (nowMs - this.#filledAtMs) / 1_000;
    const { frames, bytes } = this.#rates;
    this.#frames = Math.min(frames.points, this.#frames + (seconds * frames.points) / frames.seconds);
    this.#refusals = Math.min(this.#refusalsMax, this.#refusals + (seconds * frames.points) / frames.seconds);
    this.#bytes = Math.min(bytes.points, this.#bytes + (seconds * bytes.points) / bytes.seconds);
    this.#filledAtMs = nowMs;
  }
}

function monotonicMs(): number {
  return performance.now();
}

/** Most acknowledgements ahead of a hole that are remembered; forgetting one costs a duplicate. */
const aheadMax = 4_096;

/** Most states of one group that a connection may leave unacknowledged before its acknowledgements stop counting. */
export const statesUnacknowledgedMax = 1_000;

/** How far one person, on this gateway, has acknowledged one group. Cursors only grow, without a gap. */
export class Member {
  readonly userId: number;
  readonly groupId: number;
  joinedSeq: number;
  deliveredSeq: number;
  deliveredVersion = 0;
  /** A state up to this was sent often enough to somebody who never acknowledges states. */
  retriedVersion = 0;
  /** Waits to be written: kept by the cursors alone. */
  isMoved = false;
  #ahead: Set<number> | undefined;

  constructor(userId: number, groupId: number, joinedSeq: number) {
    this.userId = userId;
    this.groupId = groupId;
    this.joinedSeq = joinedSeq;
    this.deliveredSeq = joinedSeq;
  }

  /** Raises the base to what is stored; everything up to it was acknowledged, here or elsewhere. */
  raiseTo(seq: number, version: number, retriedVersion: number): void {
    this.deliveredVersion = Math.max(this.deliveredVersion, version);
    this.retriedVersion = Math.max(this.retriedVersion, retriedVersion);
    if (seq <= this.deliveredSeq) return;
    this.deliveredSeq = seq;
    for (const ahead of this.#ahead ?? []) if (ahead <= seq) this.#ahead?.delete(ahead);
    this.#closeGap();
  }

  /** Left and added again: nothing before that counts any more. */
  rejoin(joinedSeq: number): void {
    this.joinedSeq = joinedSeq;
    this.deliveredSeq = Math.max(this.deliveredSeq, joinedSeq);
    this.#ahead = undefined;
  }

  /** @returns whether the cursor moved */
  acknowledge(seq: number): boolean {
    if (seq <= this.deliveredSeq) return false;
    if (seq > this.deliveredSeq + 1) {
      this.#ahead ??= new Set();
      if (this.#ahead.size < aheadMax) this.#ahead.add(seq);
      return false;
    }
    this.deliveredSeq = seq;
    this.#closeGap();
    return true;
  }

  /** @returns whether the cursor moved */
  acknowledgeState(version: number): boolean {
    if (version <= this.deliveredVersion) return false;
    this.deliveredVersion = version;
    return true;
  }

  hasAcknowledged(seq: number): boolean {
    return seq <= this.deliveredSeq || this.#ahead?.has(seq) === true;
  }

  /** How many of the messages of (`from`, `through`] are not acknowledged. */
  unacknowledged(from: number, through: number): number {
    const first = Math.max(from, this.deliveredSeq);
    let count = Math.max(0, through - first);
    if (count > 0) for (const seq of this.#ahead ?? []) if (seq > first && seq <= through) count -= 1;
    return count;
  }

  /** Whether a message up to `seq`, or the state of `version`, is still owed. */
  lags(seq: number, version: number): boolean {
    return this.deliveredSeq < seq || Math.max(this.deliveredVersion, this.retriedVersion) < version;
  }

  #closeGap(): void {
    while (this.#ahead?.delete(this.deliveredSeq + 1)) this.deliveredSeq += 1;
    if (this.#ahead?.size === 0) this.#ahead = undefined;
  }
}

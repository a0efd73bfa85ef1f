import type { StoredCursor } from '@hooligram/contract';

/** What the database holds of one cursor. */
export type StoredPosition = Pick<StoredCursor, 'delivered_seq' | 'delivered_version' | 'retried_version'>;

/** Most acknowledgements ahead of a gap that are remembered; forgetting one costs a duplicate. */
const aheadMax = 4_096;

/**
 * How far one user, on this gateway, has acknowledged one group. A cursor only grows, and only over what is
 * acknowledged without a gap.
 */
export class DeliveryCursor {
  readonly userId: number;
  readonly groupId: number;
  /** Waits to be written. The CursorWriter alone sets this. */
  isQueued = false;
  #joinedSeq: number;
  #deliveredSeq: number;
  #deliveredVersion = 0;
  /** A state up to this was sent often enough to a user who never acknowledges states. */
  #retriedVersion = 0;
  #ahead: Set<number> | undefined;

  constructor(userId: number, groupId: number, joinedSeq: number) {
    this.userId = userId;
    this.groupId = groupId;
    this.#joinedSeq = joinedSeq;
    this.#deliveredSeq = joinedSeq;
  }

  /** The user gets messages with a greater `seq`, and no others. */
  get joinedSeq(): number {
    return this.#joinedSeq;
  }

  /** Every message up to this is acknowledged. */
  get deliveredSeq(): number {
    return this.#deliveredSeq;
  }

  get deliveredVersion(): number {
    return this.#deliveredVersion;
  }

  /**
   * Raises the cursor to what is stored; all of it was acknowledged, here or on another gateway.
   * @returns whether more is acknowledged here than is stored
   */
  raiseTo({ delivered_seq, delivered_version, retried_version }: StoredPosition): boolean {
    this.#deliveredVersion = Math.max(this.#deliveredVersion, delivered_version);
    this.#retriedVersion = Math.max(this.#retriedVersion, retried_version);
    if (delivered_seq > this.#deliveredSeq) {
      this.#deliveredSeq = delivered_seq;
      for (const seq of this.#ahead ?? []) if (seq <= delivered_seq) this.#ahead?.delete(seq);
      this.#closeGap();
    }
    return this.#deliveredSeq > delivered_seq || this.#deliveredVersion > delivered_version;
  }

  /** The user left and was added again: nothing from before counts any more. */
  rejoin(joinedSeq: number): void {
    this.#joinedSeq = joinedSeq;
    this.#deliveredSeq = Math.max(this.#deliveredSeq, joinedSeq);
    this.#ahead = undefined;
  }

  /**
   * @returns `moved` if the cursor did; `ahead` if something before it is missing; `known` if nothing changed: it was
   *   acknowledged before, or is too far ahead to be remembered
   */
  acknowledge(seq: number): 'moved' | 'ahead' | 'known' {
    if (seq <= this.#deliveredSeq) return 'known';
    if (seq > this.#deliveredSeq + 1) {
      this.#ahead ??= new Set();
      if (this.#ahead.has(seq) || this.#ahead.size >= aheadMax) return 'known';
      this.#ahead.add(seq);
      return 'ahead';
    }
    this.#deliveredSeq = seq;
    this.#closeGap();
    return 'moved';
  }

  /** @returns whether the cursor moved */
  acknowledgeState(version: number): boolean {
    if (version <= this.#deliveredVersion) return false;
    this.#deliveredVersion = version;
    return true;
  }

  hasAcknowledged(seq: number): boolean {
    return seq <= this.#deliveredSeq || this.#ahead?.has(seq) === true;
  }

  /** How many of the messages of (`from`, `through`] are not acknowledged. */
  unacknowledged(from: number, through: number): number {
    const first = Math.max(from, this.#deliveredSeq);
    let count = Math.max(0, through - first);
    if (count > 0) for (const seq of this.#ahead ?? []) if (seq > first && seq <= through) count -= 1;
    return count;
  }

  /** Whether a message up to `seq`, or the state of `version`, is not acknowledged yet. */
  isBehind(seq: number, version: number): boolean {
    return this.#deliveredSeq < seq || Math.max(this.#deliveredVersion, this.#retriedVersion) < version;
  }

  #closeGap(): void {
    while (this.#ahead?.delete(this.#deliveredSeq + 1)) this.#deliveredSeq += 1;
    if (this.#ahead?.size === 0) this.#ahead = undefined;
  }
}

import type { Session } from '../session.ts';
import { statesUnacknowledgedMax } from './delivery-cursor.ts';
import type { Group } from './group-feed.ts';

/**
 * One connection in one group.
 *
 * - `opening`: holds the group's channel, has been sent nothing yet;
 * - `replaying`: has the state, is being sent what its person has not acknowledged;
 * - `waiting`: has all that its person may get, and the group is not yet that far (they were just added);
 * - `live`: on the group's topic;
 * - `gone`.
 */
export class Attachment {
  readonly session: Session;
  readonly group: Group;
  phase: 'opening' | 'replaying' | 'waiting' | 'live' | 'gone' = 'opening';
  /**
   * What was stored after this is sent on this connection, even if another one of the same person acknowledges
   * it while this one is still opening: every connection gets every delivery. Undefined: from the cursor on.
   */
  readonly since: number | undefined;
  /** Everything that the person may get up to here was sent on this connection, or acknowledged before. */
  sentSeq = 0;
  /** What replays sent lies in (`replayFrom`, `replayThrough`]. */
  replayFrom = 0;
  replayThrough = 0;
  /** Counts replays, so that one that was overtaken by a new one notices. */
  replays = 0;
  /** Undefined while there is none, which is nearly always: an empty list that had elements keeps its memory. */
  #statesUnacknowledged: number[] | undefined;
  #statesLost = false;

  constructor(session: Session, group: Group, since: number | undefined) {
    this.session = session;
    this.group = group;
    this.since = since;
  }

  get isTold(): boolean {
    return this.phase !== 'opening' && this.phase !== 'gone';
  }

  /** The newest message that may have been sent here. */
  get reached(): number {
    return this.phase === 'live' ? (this.group.position ?? 0) : this.sentSeq;
  }

  noteState(version: number): void {
    this.#statesUnacknowledged ??= [];
    if (this.#statesUnacknowledged.length < statesUnacknowledgedMax) this.#statesUnacknowledged.push(version);
    else this.#statesLost = true;
  }

  /**
   * An acknowledgement of a group names no version, so it counts for the oldest one that was sent here.
   * @returns undefined if none is open
   */
  takeAcknowledgedState(): number | undefined {
    if (this.#statesLost) return undefined;
    const version = this.#statesUnacknowledged?.shift();
    if (this.#statesUnacknowledged?.length === 0) this.#statesUnacknowledged = undefined;
    return version;
  }
}

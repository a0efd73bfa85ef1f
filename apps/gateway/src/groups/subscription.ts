import type { ReplayPage, StoredMessage } from '@hooligram/contract';
import { closeReasons } from '@hooligram/protocol';
import type { DeliveryCursor } from './delivery-cursor.ts';
import type { GroupFeed } from './group-feed.ts';
import type { UserConnection } from './user-connection.ts';

/**
 * - `joining`: listens to the group's channel, has been sent nothing yet;
 * - `replaying`: has the state, is being sent what its user has not acknowledged;
 * - `pending`: has all that its user may get, and the group is not that far yet (the user was just added);
 * - `live`: on the group's topic;
 * - `gone`.
 */
type Phase = 'joining' | 'replaying' | 'pending' | 'live' | 'gone';

/** Most states that a connection may leave unacknowledged before its acknowledgements of the group stop counting. */
const statesUnacknowledgedMax = 1_000;

/** One connection's place in a group: how far it was sent the group, and in which phase it is. */
export class Subscription {
  readonly connection: UserConnection;
  readonly feed: GroupFeed;
  /**
   * What was stored after this is sent on this connection, even if another one of the same user acknowledges it
   * while this one is still joining: every connection gets every delivery. Undefined: from the cursor on.
   */
  readonly #since: number | undefined;
  #phase: Phase = 'joining';
  /** Everything up to here that the user may get was sent on this connection, or acknowledged before. */
  #sentSeq = 0;
  /** What replays sent lies in (`#replayFrom`, `#replayThrough`]. */
  #replayFrom = 0;
  #replayThrough = 0;
  /** Counts replays, so that one that was overtaken by a new one notices. */
  #replays = 0;
  /** Undefined while there is none, which is nearly always: an empty list that had elements keeps its memory. */
  #statesUnacknowledged: number[] | undefined;
  #statesLost = false;

  constructor(connection: UserConnection, feed: GroupFeed, since: number | undefined) {
    this.connection = connection;
    this.feed = feed;
    // What was acknowledged here by now, and is perhaps not written yet, came before.
    this.#since = since === undefined ? undefined : Math.max(since, this.cursor?.deliveredSeq ?? 0);
  }

  /** The user's cursor in the group; undefined while the newest state here does not name the user. */
  get cursor(): DeliveryCursor | undefined {
    return this.feed.cursorOf(this.connection.user.userId);
  }

  get isJoining(): boolean {
    return this.#phase === 'joining';
  }

  get isReplaying(): boolean {
    return this.#phase === 'replaying';
  }

  /** Whether the group's state was sent, or need not be. */
  get hasState(): boolean {
    return this.#phase !== 'joining' && this.#phase !== 'gone';
  }

  /** The newest message that may have been sent here. */
  get reachedSeq(): number {
    return this.#phase === 'live' ? (this.feed.lastSeq ?? 0) : this.#sentSeq;
  }

  /** Whether something that was sent here is not acknowledged. */
  get isOwed(): boolean {
    return this.hasState && this.cursor?.isBehind(this.reachedSeq, this.feed.version) === true;
  }

  /** How many replayed messages are on their way. */
  replayedUnacknowledged(): number {
    if (this.#replayThrough <= this.#replayFrom) return 0;
    return this.cursor?.unacknowledged(this.#replayFrom, this.#replayThrough) ?? 0;
  }

  /**
   * The state and the cursor were read: sends the state. `resume` sends the rest.
   * @param lastSeq the group's newest `seq` when they were read
   * @param isOver the group is closed, and the user knows it
   */
  start(cursor: DeliveryCursor, lastSeq: number, isOver: boolean): void {
    this.#sentSeq = Math.max(cursor.joinedSeq, Math.min(cursor.deliveredSeq, this.#since ?? lastSeq));
    this.#enter('pending');
    if (!isOver) this.sendState();
  }

  /** Goes live if the group is just there, waits if the group is not there yet, else replays what is between. */
  resume(): void {
    const { lastSeq } = this.feed;
    if (this.#phase !== 'pending' || lastSeq === undefined || this.#sentSeq > lastSeq) return;
    if (this.#sentSeq === lastSeq) {
      this.#enter('live');
      return;
    }
    this.#enter('replaying');
    this.#replays += 1;
    void this.#replay(this.#replays);
  }

  /** The user left and was added again: what lies between is not theirs. */
  restart(joinedSeq: number): void {
    this.#sentSeq = Math.max(this.#sentSeq, joinedSeq);
    this.#enter('pending');
    this.resume();
  }

  /** Takes the connection out of the group, at once. */
  leave(): void {
    this.#enter('gone');
    this.connection.onLeft(this);
  }

  /** A new state was published on the topic: sends it here too if this connection is not on the topic. */
  onStatePublished(): void {
    if (!this.hasState) return;
    if (this.#phase !== 'live') this.connection.socket.send(this.feed.stateFrame);
    this.#noteState();
  }

  sendState(): void {
    this.#noteState();
    this.connection.socket.send(this.feed.stateFrame);
  }

  sendMessages(messages: readonly StoredMessage[]): void {
    for (const [seq, messageId] of messages) this.feed.index(messageId, seq);
    this.connection.socket.send(...messages.map(([, , frame]) => frame));
  }

  /**
   * An acknowledgement of a group names no version, so it counts for the oldest one that was sent here.
   * @returns undefined if none is unacknowledged
   */
  takeAcknowledgedState(): number | undefined {
    if (this.#statesLost) return undefined;
    const version = this.#statesUnacknowledged?.shift();
    if (this.#statesUnacknowledged?.length === 0) this.#statesUnacknowledged = undefined;
    return version;
  }

  #noteState(): void {
    this.#statesUnacknowledged ??= [];
    if (this.#statesUnacknowledged.length < statesUnacknowledgedMax) {
      this.#statesUnacknowledged.push(this.feed.version);
    } else this.#statesLost = true;
  }

  /** The one place where the phase changes: the feed knows who waits for it and who needs its recent messages. */
  #enter(phase: Phase): void {
    const { feed, connection } = this;
    if (this.#phase === 'live') connection.socket.leave(feed.topic);
    if (this.#phase === 'pending') feed.pending.delete(this);
    if (this.#phase === 'replaying') feed.recent.close();
    this.#phase = phase;
    if (phase === 'live') connection.socket.join(feed.topic);
    if (phase === 'pending') feed.pending.add(this);
    if (phase === 'replaying') feed.recent.open(feed.lastSeq ?? 0);
  }

  /** Sends page after page, each as large as the connection's window has room for. */
  async #replay(replay: number): Promise<void> {
    const { window, socket } = this.connection;
    const isCurrent = () => this.#phase === 'replaying' && this.#replays === replay;
    this.#replayFrom = this.#sentSeq;
    this.#replayThrough = this.#sentSeq;
    while (isCurrent()) {
      const room = await window.reserve();
      const reply = isCurrent() && (await this.feed.requestPage(this.#sentSeq, room));
      if (reply && isCurrent()) {
        if (reply.ok) this.#sendPage(reply.answer, isCurrent);
        else socket.end(closeReasons.outcomeUnknown);
      }
      window.release(room);
      // The next page waits until the client has read this one: nothing piles up for a slow one.
      if (isCurrent()) await socket.drained();
    }
  }

  #sendPage({ state, messages, through_seq }: ReplayPage, isCurrent: () => boolean): void {
    const { feed, connection } = this;
    // A state first: it may take the user out, or start over from where they were added again.
    if (state) feed.apply(state);
    if (!isCurrent()) return;
    const lastSeq = feed.lastSeq ?? 0;
    const due = messages.filter(([seq]) => seq > this.#sentSeq && seq <= lastSeq);
    this.#sentSeq = Math.max(this.#sentSeq, Math.min(through_seq, lastSeq));
    this.#replayThrough = this.#sentSeq;
    this.sendMessages(due);
    feed.onReplayed(connection.user.userId, due.length);
    if (isCurrent()) this.#catchUp(isCurrent);
  }

  /** Goes live in this very tick, if all that was published meanwhile is at hand. */
  #catchUp(isCurrent: () => boolean): void {
    const frames = this.feed.recent.framesAfter(this.#sentSeq);
    if (!frames) return;
    this.connection.socket.send(...frames);
    if (isCurrent()) this.#enter('live');
  }
}

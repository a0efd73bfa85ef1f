import type { ReplayPage, StoredMessage } from '@hooligram/contract';
import { closeReasons } from '@hooligram/protocol';
import type { DeliveryCursor } from './delivery-cursor.ts';
import { firstWithin } from './first-within.ts';
import type { GroupFeed } from './group-feed.ts';
import { bytesOf, frameBytes } from './page-bytes.ts';
import type { UserConnection } from './user-connection.ts';

/**
 * - `joining`: listens to the group's channel, has been sent nothing yet;
 * - `opening`: was read, waits for its turn to be sent the state;
 * - `replaying`: has the state, is being sent what its user has not acknowledged;
 * - `pending`: has all that its user may get, and the group is not that far yet (the user was just added);
 * - `live`: on the group's topic;
 * - `gone`.
 */
type Phase = 'joining' | 'opening' | 'replaying' | 'pending' | 'live' | 'gone';

/** Most states that a connection may leave unacknowledged before its acknowledgements of the group stop counting. */
const statesUnacknowledgedMax = 1_000;

/** Most bytes that a client may have to read with what is published and is no live message: half of what closes it. */
const unreadWithPageMax = 512 * 1_024;

/** What a replay has sent lies in (`from`, `through`]. */
type Replay = {
  readonly from: number;
  through: number;
  /** How many of those messages are not acknowledged, and their bytes: what they take of the connection's window. */
  unacknowledged: number;
  bytes: number;
};

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
  /** The newest one, until it is over and acknowledged. Nearly always there is none: it costs memory a connection and group. */
  #replay: Replay | undefined;
  /** Their versions. The mobile client never acknowledges one, so a list would stay, of one element nearly always. */
  #statesUnacknowledged: number | number[] | 'too many' | undefined;

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

  /** Whether the group's state was sent, or need not be. */
  get hasState(): boolean {
    return this.#phase === 'pending' || this.#phase === 'replaying' || this.#phase === 'live';
  }

  /** The newest message that may have been sent here. */
  get reachedSeq(): number {
    return this.#phase === 'live' ? (this.feed.lastSeq ?? 0) : this.#sentSeq;
  }

  /** The newest state that may have been sent here; 0 if the one that applies was not. */
  get reachedVersion(): number {
    return this.feed.isUntold(this) ? 0 : this.feed.version;
  }

  /** Whether something that was sent here is not acknowledged. */
  get isOwed(): boolean {
    return this.hasState && this.cursor?.isBehind(this.reachedSeq, this.reachedVersion) === true;
  }

  /**
   * The state and the cursor were read: sends the state when it is its turn on the socket, then goes on from the cursor.
   * @param lastSeq the group's newest `seq` when they were read
   * @param knownVersion of a closed group: a state up to this need not be sent
   */
  start(lastSeq: number, knownVersion: number): void {
    this.#enter('opening');
    this.connection.writer.write((bytes, isEmpty) => {
      if (!isEmpty && this.feed.stateFrame.length > bytes) return 'whole';
      this.#open(lastSeq, knownVersion);
      return true;
    });
  }

  #open(lastSeq: number, knownVersion: number): void {
    if (this.#phase !== 'opening') return;
    const { cursor, feed } = this;
    // Taken out while it waited for its turn.
    if (!cursor) {
      this.leave();
      return;
    }
    this.#sentSeq = Math.max(cursor.joinedSeq, Math.min(cursor.deliveredSeq, this.#since ?? lastSeq));
    this.#enter('pending');
    if (feed.version > knownVersion) this.sendState();
    feed.onSent(this, 0);
    this.resume();
  }

  /** Goes live if the group is just there, waits if the group is not there yet, else replays what is between. */
  resume(): void {
    const { lastSeq } = this.feed;
    // A closed connection leaves its groups a few at a time.
    if (this.#phase !== 'pending' || !this.connection.isOpen) return;
    if (lastSeq === undefined || this.#sentSeq > lastSeq) {
      this.feed.addPending(this);
      return;
    }
    if (this.#sentSeq === lastSeq) {
      this.#enter('live');
      return;
    }
    this.#enter('replaying');
    void this.#sendPages();
  }

  /** The user left and was added again: what lies between is not theirs. */
  restart(joinedSeq: number): void {
    this.#sentSeq = Math.max(this.#sentSeq, joinedSeq);
    this.#enter('pending');
    this.onRaised();
    this.resume();
  }

  /**
   * So many bytes are going to be published on the topic that came late, all at once. A client that has not read what was
   * sent before is replayed them instead, in its own time: else they would close its socket.
   */
  spare(bytes: number): void {
    if (this.#phase !== 'live' || this.connection.socket.unreadBytes + bytes <= unreadWithPageMax) return;
    this.#sentSeq = this.reachedSeq;
    this.#enter('pending');
    this.feed.addPending(this);
  }

  /** Takes the connection out of the group, at once. */
  leave(): void {
    this.#enter('gone');
    this.connection.onLeft(this);
    this.#setReplayed(0);
  }

  /** A new state was published on the topic: sends it here too if this connection is not on the topic. */
  onStatePublished(): void {
    if (!this.hasState) return;
    if (this.#phase === 'live') {
      this.#noteState();
      return;
    }
    const { version } = this.feed;
    this.connection.writer.write((bytes, isEmpty) => {
      if (!isEmpty && this.feed.stateFrame.length > bytes) return 'whole';
      // A newer one has a turn of its own, or was published.
      if (this.hasState && this.feed.version === version) this.sendState();
      return true;
    });
  }

  /** Sends the state that applies when it is its turn on the socket, unless it was sent by then. */
  tellState(): void {
    this.connection.writer.write((bytes, isEmpty) => {
      if (!this.feed.isUntold(this)) return true;
      if (!isEmpty && this.feed.stateFrame.length > bytes) return 'whole';
      if (this.hasState) this.sendState();
      return true;
    });
  }

  /** Sends what cannot be published to all at once, if this connection is on the topic. */
  sendLive(frame: string | Uint8Array): void {
    if (this.#phase === 'live') this.connection.socket.send(frame);
  }

  sendState(): void {
    this.#noteState();
    this.connection.socket.send(this.feed.stateFrame);
    this.feed.onStateSent(this);
  }

  sendMessages(messages: readonly StoredMessage[]): void {
    this.connection.owed.note(this);
    for (const [seq, messageId, frame] of messages) this.feed.index(messageId, seq, frame);
    this.connection.socket.send(...messages.map(([, , frame]) => frame));
  }

  /** Whether a replay on this connection sent that message. */
  isReplayed(seq: number): boolean {
    return this.#replay !== undefined && seq > this.#replay.from && seq <= this.#replay.through;
  }

  /** The user acknowledged a message of the group that they had not acknowledged before. */
  onAcknowledged(seq: number): void {
    if (this.#replay && this.isReplayed(seq)) this.#setReplayed(this.#replay.unacknowledged - 1);
  }

  /** The cursor was raised, or what was sent has grown: counts again what is on its way. */
  onRaised(): void {
    if (!this.#replay) return;
    const { from, through } = this.#replay;
    this.#setReplayed(this.cursor?.unacknowledged(from, through) ?? 0);
  }

  /**
   * @param messages how many are on their way now
   * @param sent how many of them were sent just now, and their bytes
   */
  #setReplayed(messages: number, sent = 0, sentBytes = 0): void {
    const replay = this.#replay;
    if (!replay) return;
    const all = replay.unacknowledged + sent;
    // Which of them were acknowledged is not noted: each counts as much as the others.
    const bytes = all > 0 ? Math.round(((replay.bytes + sentBytes) * messages) / all) : 0;
    const [more, moreBytes] = [messages - replay.unacknowledged, bytes - replay.bytes];
    replay.unacknowledged = messages;
    replay.bytes = bytes;
    this.#forgetReplay();
    if (more !== 0 || moreBytes !== 0) this.connection.window.add(more, moreBytes);
  }

  #forgetReplay(): void {
    if (this.#phase === 'live' && this.#replay?.unacknowledged === 0) this.#replay = undefined;
  }

  /**
   * An acknowledgement of a group names no version, so it counts for the oldest one that was sent here.
   * @returns undefined if none is unacknowledged
   */
  takeAcknowledgedState(): number | undefined {
    const unacknowledged = this.#statesUnacknowledged;
    if (unacknowledged === 'too many') return undefined;
    if (typeof unacknowledged === 'object' && unacknowledged.length > 1) return unacknowledged.shift();
    this.#statesUnacknowledged = undefined;
    return typeof unacknowledged === 'object' ? unacknowledged[0] : unacknowledged;
  }

  #noteState(): void {
    this.connection.owed.note(this);
    const { version } = this.feed;
    const unacknowledged = this.#statesUnacknowledged;
    if (unacknowledged === undefined) this.#statesUnacknowledged = version;
    else if (typeof unacknowledged === 'number') this.#statesUnacknowledged = [unacknowledged, version];
    else if (typeof unacknowledged === 'object') {
      if (unacknowledged.length < statesUnacknowledgedMax) unacknowledged.push(version);
      else this.#statesUnacknowledged = 'too many';
    }
  }

  /** The one place where the phase changes: the feed knows who waits for it and who needs its recent messages. */
  #enter(phase: Phase): void {
    const { feed, connection } = this;
    if (this.#phase === 'live') connection.socket.leave(feed.topic);
    if (this.#phase === 'pending') feed.deletePending(this);
    if (this.#phase === 'replaying') {
      feed.closeRecent();
      connection.replaying -= 1;
    }
    this.#phase = phase;
    if (phase === 'live') {
      connection.socket.join(feed.topic);
      this.#forgetReplay();
    }
    if (phase === 'replaying') {
      feed.openRecent();
      connection.replaying += 1;
    }
  }

  /** Sends page after page, each as large as the connection's window has room for, and each when it is its turn. */
  async #sendPages(): Promise<void> {
    const { connection } = this;
    const { window, writer, socket } = connection;
    // What an earlier one sent counts no more.
    this.#setReplayed(0);
    const replay: Replay = { from: this.#sentSeq, through: this.#sentSeq, unacknowledged: 0, bytes: 0 };
    this.#replay = replay;
    // One that was overtaken by a new one notices.
    const isCurrent = () => this.#phase === 'replaying' && this.#replay === replay && connection.isOpen;
    while (isCurrent()) {
      const room = await window.reserve((this.feed.lastSeq ?? 0) - this.#sentSeq, connection.replaying);
      // No page is read before the socket has room for it, as far as its size can be guessed.
      if (isCurrent()) await writer.turn(room.bytes);
      // What a page has no room for is not read for it.
      const limit = Math.min(room.messages, window.messagesAPage);
      const reply = isCurrent() && (await this.feed.replayPage(this.#sentSeq, limit, connection));
      if (reply && isCurrent()) {
        if (reply.ok) await this.#sendPage(replay, reply.answer, isCurrent);
        else socket.end(closeReasons.outcomeUnknown);
      }
      window.release(room);
    }
  }

  /** Resolves when all of it was sent, or need not be sent any more. */
  async #sendPage(replay: Replay, page: ReplayPage, isCurrent: () => boolean): Promise<void> {
    // A state first: it may take the user out, or start over from where they were added again.
    if (!(await this.feed.applyStateOf(page))) {
      if (isCurrent()) this.connection.socket.end(closeReasons.outcomeUnknown);
      return;
    }
    const { writer, socket } = this.connection;
    let isDone = false as boolean;
    const sent = new Promise<void>((resolve) => {
      writer.write((bytes) => {
        isDone = !isCurrent() || this.#sendPart(replay, page, bytes, isCurrent);
        if (isDone) resolve();
        return isDone;
      });
    });
    if (isDone) return;
    // What was sent lies in the socket, and counts there.
    const waiting = bytesOf(page.messages.filter(([seq]) => seq > this.#sentSeq));
    socket.hold(waiting);
    await sent;
    socket.hold(-waiting);
  }

  /** Sends what is next of a page. @returns whether that was all */
  #sendPart(
    replay: Replay,
    { messages, through_seq }: ReplayPage,
    bytes: number,
    isCurrent: () => boolean,
  ): boolean {
    const { feed } = this;
    const lastSeq = feed.lastSeq ?? 0;
    const due = messages.filter(([seq]) => seq > this.#sentSeq && seq <= lastSeq);
    const part = due.slice(0, firstWithin(due, bytes, frameBytes));
    const isLast = part.length === due.length;
    const partEnd = part.at(-1)?.[0] ?? 0;
    this.#sentSeq = Math.max(this.#sentSeq, isLast ? Math.min(through_seq, lastSeq) : partEnd);
    replay.through = this.#sentSeq;
    const unacknowledged = this.cursor?.unacknowledged(replay.from, replay.through) ?? 0;
    this.#setReplayed(unacknowledged, part.length, bytesOf(part));
    this.sendMessages(part);
    feed.onSent(this, part.length);
    if (isLast && isCurrent()) this.#catchUp(bytes, isCurrent);
    return isLast;
  }

  /** Goes live in this very tick, if all that was published meanwhile is at hand, and not more than so many bytes. */
  #catchUp(bytes: number, isCurrent: () => boolean): void {
    const frames = this.feed.recentAfter(this.#sentSeq, bytes);
    if (!frames) return;
    this.connection.socket.send(...frames);
    if (isCurrent()) this.#enter('live');
  }
}

import type { DeliveryCheck, GroupState, Messages, ReplayPage } from '@hooligram/contract';
import type { Core, Reply } from '../core/core-client.ts';
import { commitTimeOf } from '../delivery/commit-time.ts';
import type { MessageIndex } from '../delivery/message-index.ts';
import type { MessageTraces } from '../delivery/message-traces.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Places } from '../places.ts';
import type { BufferBudget } from './buffer-budget.ts';
import type { DeliveryCursor } from './delivery-cursor.ts';
import { countOf, each, type Few, withOne, withoutOne } from './few.ts';
import { Gap, type GapDeps, type PageOutcome } from './gap.ts';
import type { KeptStates } from './kept-states.ts';
import { LocalMembers } from './local-members.ts';
import { bytesOf, pageBytesMax } from './page-bytes.ts';
import { RecentMessages } from './recent-messages.ts';
import type { Reader, ReplayPages } from './replay-pages.ts';
import { encodeStateFrame } from './state-frame.ts';
import type { StateReader } from './state-reader.ts';
import type { StateTeller } from './state-teller.ts';
import type { Subscription } from './subscription.ts';
import { Untold } from './untold.ts';
import type { UserConnection } from './user-connection.ts';
import type { Users } from './users.ts';

/** How often a state is read for a page before the page is given up. */
const stateReadsMax = 3;

/** A state that is more than that for all connections together is told to them one after the other. */
const publishedBytesMax = 1024 * 1024;

/** Of what waited behind a gap: so much is published at once, whoever has not read what was sent before. */
const publishedUnaskedMax = 128 * 1024;

/** So long a frame is kept as bytes: as a string it would be encoded again for each connection. */
const stringMax = 16 * 1024;

/** How far a group is. */
type Head = { readonly version: number; readonly lastSeq: number };

/** Of a group of which that is not known: further than anybody. */
const unknownHead: Head = { version: Number.POSITIVE_INFINITY, lastSeq: Number.POSITIVE_INFINITY };

/** What a feed needs of the gateway. */
export type FeedDeps = GapDeps & {
  /** Of the database: in another one the group of the same id has other members. */
  readonly epoch: number;
  readonly recentMessages: BufferBudget;
  readonly keptStates: KeptStates;
  readonly catchUps: Pick<Places, 'enter'>;
  readonly core: Core;
  readonly users: Users;
  readonly states: StateReader;
  readonly replayPages: ReplayPages;
  readonly stateTeller: StateTeller;
  readonly messageIndex: MessageIndex<GroupFeed>;
  readonly overdue: { watch(userId: number): void; report(userId: number): void };
  readonly metrics: GatewayMetrics;
  /** Undefined unless messages are traced. */
  readonly traces: Pick<MessageTraces, 'sent'> | undefined;
  /**
   * Resolves when what was read may be published, one page in each round of the event loop: what was published in the turn
   * before is in the sockets' buffers then, and can be asked for.
   */
  pageTurn(): Promise<void>;
  /** Sends a frame to every socket on a topic. @returns false if each of them has to be sent it instead */
  publish(topic: string, frame: string | Uint8Array): boolean;
  /** Brings a connection into the group. */
  join(connection: UserConnection, groupId: number, since: number): void;
  /** Nobody here is in the group any more. */
  close(groupId: number): void;
};

/**
 * A group as this gateway knows it while one of its connections is in it: how far it is (`version`, `lastSeq`), and
 * which of the users here are members.
 *
 * A state applies on arrival, whatever is missing before it: a user who is not named leaves the topic at once. A
 * message is published only as the next one after `lastSeq`, and only under a state of at least its version. So a
 * message reaches a connection only if the newest state known here names its user with `joined_seq < seq`.
 */
export class GroupFeed {
  readonly id: number;
  readonly topic: string;
  /** Resolves when what is published to the group is received here. */
  readonly listening: Promise<void>;
  readonly #deps: FeedDeps;
  #subscriptions: Few<Subscription>;
  readonly #members: LocalMembers;
  /** While a connection is replayed. */
  #recent: RecentMessages | undefined;
  /** Undefined until something is missing: in most groups nothing ever is. */
  #gap: Gap | undefined;
  /** Subscriptions that go on with the next message: nearly always none. */
  #pending: Few<Subscription>;
  #version = 0;
  #stateFrame: string | Uint8Array = '';
  /** While the state that applies is told to one connection after the other, and after that until the next one. */
  #untold: Untold<Subscription> | undefined;
  #lastSeq: number | undefined;
  /** Until its turn to catch up has come: with what. */
  #awaited: Head | undefined;

  constructor(id: number, listening: Promise<void>, deps: FeedDeps) {
    this.id = id;
    this.topic = `g${deps.epoch}.${id}`;
    this.listening = listening;
    this.#deps = deps;
    this.#members = new LocalMembers(id, deps.users);
  }

  /** Whether a connection is in it. */
  get isOpen(): boolean {
    return this.#subscriptions !== undefined;
  }

  /** Of the state that applies; 0 before there is one. */
  get version(): number {
    return this.#version;
  }

  /** The `GROUP_DELIVER_REQUEST` of that state. */
  get stateFrame(): string | Uint8Array {
    return this.#stateFrame;
  }

  /** `seq` of the last message that was published here; undefined until the first read. */
  get lastSeq(): number | undefined {
    return this.#lastSeq;
  }

  /** A connection is being replayed: what is published meanwhile is kept for it. */
  openRecent(): void {
    this.#recent ??= new RecentMessages(this.#deps.recentMessages);
    this.#recent.open(this.#lastSeq ?? 0);
  }

  /** It is not any more. */
  closeRecent(): void {
    if (this.#recent?.close()) this.#recent = undefined;
  }

  /** For a connection in replay: as `RecentMessages.framesAfter`. */
  recentAfter(seq: number, bytesMax: number): (string | Uint8Array)[] | undefined {
    return this.#recent?.framesAfter(seq, bytesMax);
  }

  /** @returns undefined if the state that applies does not name the user */
  cursorOf(userId: number): DeliveryCursor | undefined {
    return this.#members.cursorOf(userId);
  }

  add(subscription: Subscription): void {
    this.#subscriptions = withOne(this.#subscriptions, subscription);
  }

  remove(subscription: Subscription): void {
    const { user } = subscription.connection;
    this.#subscriptions = withoutOne(this.#subscriptions, subscription);
    this.#untold?.delete(subscription);
    // Who signed in again meanwhile is another user object, and may be here by now.
    if (!this.#deps.users.find(user.userId)?.isIn(this.id)) this.#members.forget(user.userId);
    if (this.isOpen) return;
    const [version, frame] = [this.#version, this.#stateFrame];
    if (version > 0) this.#deps.keptStates.keep(this.topic, { version, frame });
    // The index of messages names this feed for as long as it knows one of its messages, and no budget counts what it holds.
    this.#stateFrame = '';
    this.#gap?.close();
    this.#deps.close(this.id);
  }

  /** The subscription goes on with the next message. */
  addPending(subscription: Subscription): void {
    this.#pending = withOne(this.#pending, subscription);
  }

  deletePending(subscription: Subscription): void {
    this.#pending = withoutOne(this.#pending, subscription);
  }

  /** Takes messages that the core published, in whatever order they come. */
  receive({ version, seq, message_ids, frames }: Messages<Uint8Array>): void {
    for (const [index, frame] of frames.entries()) {
      this.#receive(version, seq + index, message_ids[index] as number, frame);
    }
  }

  #receive(version: number, seq: number, messageId: number, frame: Uint8Array): void {
    const lastSeq = this.#lastSeq;
    if (lastSeq !== undefined && seq <= lastSeq) return;
    if (lastSeq !== undefined && seq === lastSeq + 1 && version <= this.#version) {
      this.#publish(seq, messageId, frame);
      if (this.#gap?.isOutOfOrder) this.#publishWaiting();
      return;
    }
    this.#openGap().keep(seq, { version, messageId, frame });
  }

  /**
   * Takes a state, from whatever path; an older one than applies is nothing new.
   * @param encoded its frame, if that is at hand
   */
  apply(state: GroupState, encoded?: string): void {
    const { users, join } = this.#deps;
    if (!this.isOpen || state.version < this.#version) return;
    const isNewer = state.version > this.#version;
    if (isNewer) {
      this.#version = state.version;
      const frame = encoded ?? encodeStateFrame(state);
      this.#stateFrame = frame.length > stringMax ? Buffer.from(frame) : frame;
    }
    const named = this.#members.apply(state, isNewer);
    // The same one again is news only for users who signed in here since it applied.
    if (!isNewer) return;
    this.#tellState();
    // A user who is named here for the first time is brought in by a read of their own.
    for (const userId of named) {
      for (const connection of users.connectionsOf(userId)) {
        if (!connection.isIn(this.id)) join(connection, this.id, state.version_seq);
      }
    }
    if (this.#lastSeq !== undefined) this.#publishWaiting();
  }

  /**
   * Takes the state that was kept since the last connection left the group here, if no state applies yet.
   * @param version of the group, as the core has just told it: an older or a newer one is not used
   * @returns whether that one applies now
   */
  applyKept(version: number): boolean {
    if (this.#version > 0) return false;
    const kept = this.#deps.keptStates.take(this.topic);
    if (kept?.version !== version) return false;
    this.#version = version;
    this.#stateFrame = kept.frame;
    return true;
  }

  /** Whether that connection is still to be sent the state that applies, in its turn. */
  isUntold(subscription: Subscription): boolean {
    return this.#untold?.has(subscription) === true;
  }

  /** The state that applies was sent on that connection. */
  onStateSent(subscription: Subscription): void {
    if (!this.#untold?.has(subscription)) return;
    this.#untold.delete(subscription);
    // The delivery check may have come before.
    this.onSent(subscription, 0);
  }

  /** Tells the next connection in turn. @returns whether there was one */
  tellNext(): boolean {
    return this.#untold?.tellNext() === true;
  }

  #openGap(): Gap {
    this.#gap ??= new Gap(this, this.#deps);
    return this.#gap;
  }

  #tellState(): void {
    const { stateTeller } = this.#deps;
    if (this.#stateFrame.length * countOf(this.#subscriptions) <= publishedBytesMax) {
      this.#untold = undefined;
      this.#sendToLive(this.#stateFrame);
      for (const subscription of each(this.#subscriptions)) subscription.onStatePublished();
      return;
    }
    this.#untold ??= new Untold();
    for (const subscription of each(this.#subscriptions))
      if (subscription.hasState) this.#untold.add(subscription);
    stateTeller.add(this);
  }

  /** A user whom the state that applies names, and who was not here when it came. */
  admit(userId: number, joinedSeq: number): void {
    this.#members.admit(userId, joinedSeq);
  }

  /**
   * A page was read: its messages may be sent once a state of its version applies. Or a member has left in that version.
   * A read that no core answers is the last one: who waits here waits no longer than for one answer that does not come.
   * @returns whether one does
   */
  async applyStateOf({ version }: Pick<ReplayPage, 'version'>): Promise<boolean> {
    // One that was being read already may be older.
    for (let reads = 0; reads < stateReadsMax && version > this.#version; reads += 1) {
      if (!(await this.#deps.states.read(this))) break;
    }
    return version <= this.#version;
  }

  /** Sets out from what was read, once; what was published since waits in `gap`. */
  startAt(seq: number): void {
    if (this.#lastSeq !== undefined) return;
    this.#lastSeq = seq;
    this.#publishWaiting();
    this.#gap?.onStarted();
  }

  /** The core says how far the group is: fetches what is missing, reports users here who have not acknowledged what is due. */
  check({ last_seq, version, due_seq, due_version }: DeliveryCheck): void {
    if (version > this.#version || last_seq > (this.#lastSeq ?? last_seq)) {
      this.catchUpWith({ version, lastSeq: last_seq });
    }
    // Each of those who are told one after the other has a moment of their own from which on they are overdue.
    const dueVersion = this.#untold ? 0 : due_version;
    for (const cursor of this.#members.cursors()) {
      if (!cursor.isBehind(due_seq, dueVersion)) continue;
      this.#deps.users.find(cursor.userId)?.noteOwed(this.id);
      this.#deps.overdue.report(cursor.userId);
    }
  }

  /**
   * Fetches what is missing here when it is its turn, unless it has come by then: a message that is published meanwhile shows
   * the gap, and has it fetched at once. So groups in which somebody writes go first.
   *
   * @param head how far the group is. Default: that is not known, and something may be missing
   */
  catchUpWith(head: Head = unknownHead): void {
    if (this.#isAsFarAs(head)) return;
    const awaited = this.#awaited;
    this.#awaited = awaited ? furtherOf(awaited, head) : head;
    if (!awaited) void this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    const leavePlace = await this.#deps.catchUps.enter(this, String(this.id));
    const head = this.#awaited ?? unknownHead;
    this.#awaited = undefined;
    if (this.isOpen && !this.#isAsFarAs(head)) await this.#openGap().fetchNow();
    leavePlace?.();
  }

  #isAsFarAs({ version, lastSeq }: Head): boolean {
    return version <= this.#version && lastSeq <= (this.#lastSeq ?? -1);
  }

  /** Something that was published here could not be read. */
  onUnreadable(): void {
    this.#openGap().fetchSoon();
  }

  /** What follows `afterSeq`, at most so many messages, for a replay on one connection: perhaps as it was a moment ago. */
  replayPage(afterSeq: number, limit: number, reader: Reader): Promise<Reply<'REPLAY_PAGE'>> {
    return this.#deps.replayPages.read(this.id, afterSeq, limit, reader);
  }

  /** Asks the core for what follows `lastSeq`, and publishes it. */
  async fetchPage(): Promise<PageOutcome> {
    const params = { group_id: this.id, after_seq: this.#lastSeq ?? 0 };
    const reply = await this.#deps.core.request('REPLAY_PAGE', params, undefined, undefined, this);
    if (!reply.ok) return 'failed';
    if (!this.isOpen) return 'all';
    const { version, messages, through_seq, last_seq } = reply.answer;
    const isNewer = version > this.#version;
    if (messages.length > 0) await this.#deps.pageTurn();
    if (!(await this.applyStateOf(reply.answer))) return 'failed';
    if (!this.isOpen) return 'all';
    this.#spareSlow(bytesOf(messages));
    // What a page leaves out is gone: its time had come, and nobody is to be sent it any more.
    for (const [seq, messageId, frame] of messages) {
      if (seq > (this.#lastSeq ?? 0)) this.#publish(seq, messageId, frame);
    }
    this.#publishWaiting();
    // Its delivery check may have been published while nobody here could receive it, and there need not be another one.
    if (isNewer || messages.length > 0) {
      for (const { userId } of this.#members.cursors()) {
        this.#deps.users.find(userId)?.noteOwed(this.id);
        this.#deps.overdue.watch(userId);
      }
    }
    return through_seq < last_seq ? 'more' : 'all';
  }

  /** Notes the place of a message that one connection is sent: its acknowledgement names the message alone. */
  index(messageId: number, seq: number, frame: string): void {
    const { messageIndex, traces } = this.#deps;
    messageIndex.note(messageId, this, seq, commitTimeOf(frame));
    traces?.sent(messageId, 'connection');
  }

  /** The state, or so many messages of a replay, were sent to one connection of the user: no delivery check covers that. */
  onSent({ connection }: Subscription, messagesReplayed: number): void {
    const { metrics, overdue } = this.#deps;
    if (messagesReplayed > 0) metrics.messagesReplayed.inc(messagesReplayed);
    overdue.watch(connection.user.userId);
  }

  #publish(seq: number, messageId: number, frame: string | Uint8Array): void {
    const { metrics, messageIndex, traces } = this.#deps;
    this.#lastSeq = seq;
    messageIndex.note(messageId, this, seq, commitTimeOf(frame));
    this.#sendToLive(frame);
    traces?.sent(messageId, 'group');
    metrics.messagesPublished.count += 1;
    this.#recent?.add(seq, frame);
    if (this.#pending) for (const subscription of each(this.#pending)) subscription.resume();
  }

  /** To all who are on the topic. */
  #sendToLive(frame: string | Uint8Array): void {
    if (this.#deps.publish(this.topic, frame)) return;
    // As a string it would be encoded again for each connection.
    const bytes = typeof frame === 'string' ? Buffer.from(frame) : frame;
    for (const subscription of each(this.#subscriptions)) subscription.sendLive(bytes);
  }

  /** So many bytes are going to be published that are no live messages: who reads too slowly for them is replayed them. */
  #spareSlow(bytes: number): void {
    for (const subscription of each(this.#subscriptions)) subscription.spare(bytes);
  }

  /** Publishes what waited behind a gap and is next now. */
  #publishWaiting(): void {
    const gap = this.#gap;
    if (!gap) return;
    const { bytes } = gap;
    if (bytes > publishedUnaskedMax) this.#spareSlow(Math.min(bytes, pageBytesMax));
    for (;;) {
      const seq = (this.#lastSeq ?? 0) + 1;
      const next = gap.take(seq, this.#version);
      if (!next) break;
      this.#publish(seq, next.messageId, next.frame);
    }
    gap.onProgress(this.#lastSeq ?? 0);
  }
}

function furtherOf(one: Head, other: Head): Head {
  return {
    version: Math.max(one.version, other.version),
    lastSeq: Math.max(one.lastSeq, other.lastSeq),
  };
}

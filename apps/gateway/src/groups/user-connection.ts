import type { ClientSocket } from '../client-socket.ts';
import type { DeliveryPath } from '../metrics.ts';
import { FewByGroup } from './few-by-group.ts';
import type { GroupFeed } from './group-feed.ts';
import { Owed } from './owed.ts';
import { ReplayWindow, type WindowSize } from './replay-window.ts';
import { SocketWriter } from './socket-writer.ts';
import { Subscription } from './subscription.ts';
import type { User } from './users.ts';

/** So many groups a closed connection leaves in one turn of the event loop. */
const leftATurn = 200;

/** One connection of a user, from a sign-in on: which groups it is in. */
export class UserConnection {
  readonly user: User;
  readonly socket: ClientSocket;
  /** Its turns on the socket, for everything but live messages. */
  readonly writer: SocketWriter;
  readonly owed = new Owed<Subscription>();
  /** Milliseconds since 1970. */
  readonly signedInAt = Date.now();
  /** The name of the connection to the core, while a code that was submitted here is checked. */
  verifying: string | undefined;
  /** With which version of the user's credential it signed in. A core that does not say ends no session. */
  credentialVersion: number;
  /** How many of its groups are being replayed. */
  replaying = 0;
  /** By group the newest message that was sent again because it was not acknowledged. */
  #redelivered: Map<number, number> | undefined;
  readonly #subscriptions = new FewByGroup<Subscription>();
  readonly #windowSize: WindowSize;
  /** Undefined until something is replayed: on many connections nothing ever is. */
  #window: ReplayWindow | undefined;
  #isClosed = false;

  constructor(user: User, socket: ClientSocket, replayWindow: WindowSize, credentialVersion?: number) {
    this.user = user;
    this.socket = socket;
    this.credentialVersion = credentialVersion ?? Number.MAX_SAFE_INTEGER;
    this.#windowSize = replayWindow;
    this.writer = new SocketWriter(socket);
  }

  get isOpen(): boolean {
    return !this.#isClosed && this.socket.isOpen;
  }

  /** Its credit for replayed messages. */
  get window(): ReplayWindow {
    this.#window ??= new ReplayWindow(this.#windowSize);
    return this.#window;
  }

  /** How many bytes a message had of late that it was replayed. */
  get messageBytes(): number {
    return this.window.meanBytes;
  }

  /** Whether it has not been sent, or has not acknowledged, something that is the user's. */
  get isBehind(): boolean {
    if (this.replaying > 0) return true;
    const [first] = this.owed;
    return first !== undefined;
  }

  /** Whether it signed in with a credential before this one, and is not about to have this one. */
  isBefore(credentialVersion = 0): boolean {
    return this.credentialVersion < credentialVersion && this.verifying === undefined;
  }

  /** A code was submitted here rightly: if it is this user's, the connection goes on under the new credential. */
  noteVerified({ user_id, credential_version = 0 }: { user_id?: number; credential_version?: number }): void {
    if (user_id === this.user.userId) {
      this.credentialVersion = Math.max(this.credentialVersion, credential_version);
    }
  }

  isIn(groupId: number): boolean {
    return this.#subscriptions.find(groupId) !== undefined;
  }

  find(groupId: number): Subscription | undefined {
    return this.#subscriptions.find(groupId);
  }

  subscriptions(): Iterable<Subscription> {
    return this.#subscriptions.values();
  }

  /** Messages of a group up to that one were sent again. */
  onRedelivered(groupId: number, seq: number): void {
    this.#redelivered ??= new Map();
    this.#redelivered.set(groupId, Math.max(seq, this.#redelivered.get(groupId) ?? 0));
  }

  /** By which path this connection was sent a message. To be asked before `onAcknowledged`. */
  pathOf(groupId: number, seq: number): DeliveryPath {
    if (this.#redelivered !== undefined && seq <= (this.#redelivered.get(groupId) ?? 0)) return 'retry';
    if (this.#window === undefined || this.#window.unacknowledged === 0) return 'live';
    return this.#subscriptions.find(groupId)?.isReplayed(seq) ? 'replay' : 'live';
  }

  /** The user acknowledged a message, here or on another connection. */
  onAcknowledged(groupId: number, seq: number): void {
    if (this.#window === undefined || this.#window.unacknowledged === 0) return;
    this.#subscriptions.find(groupId)?.onAcknowledged(seq);
  }

  /** @param since what was stored after this `seq` is sent on this connection in any case */
  subscribe(feed: GroupFeed, since?: number): Subscription {
    const subscription = new Subscription(this, feed, since);
    this.#subscriptions.set(subscription);
    feed.add(subscription);
    return subscription;
  }

  /** The subscription is over: `Subscription.leave` reports it. */
  onLeft(subscription: Subscription): void {
    this.#subscriptions.delete(subscription.feed.id);
    this.owed.forget(subscription);
    subscription.feed.remove(subscription);
  }

  /**
   * Leaves all groups. What is under way for this connection stops. Of a closed socket, a portion of them in each turn of
   * the event loop: nothing is sent to it in those that are left, and others need not wait until all of 20,000 are. A socket
   * that stays open leaves all at once: its next sign-in joins the same topics.
   */
  close(): void {
    this.#isClosed = true;
    this.#window?.close();
    this.#leave(this.socket.isOpen ? Number.POSITIVE_INFINITY : leftATurn);
  }

  #leave(portion: number): void {
    let left = 0;
    for (const subscription of this.#subscriptions.values()) {
      subscription.leave();
      left += 1;
      if (left >= portion) break;
    }
    if (this.#subscriptions.size > 0) setImmediate(() => this.#leave(portion));
  }
}

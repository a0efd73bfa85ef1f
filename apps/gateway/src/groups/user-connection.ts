import type { ClientSocket } from '../client-socket.ts';
import type { GroupFeed } from './group-feed.ts';
import { Owed } from './owed.ts';
import { ReplayWindow, type WindowSize } from './replay-window.ts';
import { SocketWriter } from './socket-writer.ts';
import { Subscription } from './subscription.ts';
import type { User } from './users.ts';

/** One connection of a user, from a sign-in on: which groups it is in. */
export class UserConnection {
  readonly user: User;
  readonly socket: ClientSocket;
  /** Its credit for replayed messages. */
  readonly window: ReplayWindow;
  /** Its turns on the socket, for everything but live messages. */
  readonly writer: SocketWriter;
  readonly owed = new Owed<Subscription>();
  /** How many of its groups are being replayed. */
  replaying = 0;
  readonly #subscriptions = new Map<number, Subscription>();
  #isClosed = false;

  constructor(user: User, socket: ClientSocket, replayWindow: WindowSize) {
    this.user = user;
    this.socket = socket;
    this.window = new ReplayWindow(replayWindow);
    this.writer = new SocketWriter(socket);
  }

  get isOpen(): boolean {
    return !this.#isClosed && this.socket.isOpen;
  }

  isIn(groupId: number): boolean {
    return this.#subscriptions.has(groupId);
  }

  find(groupId: number): Subscription | undefined {
    return this.#subscriptions.get(groupId);
  }

  subscriptions(): Iterable<Subscription> {
    return this.#subscriptions.values();
  }

  /** The user acknowledged a message, here or on another connection. */
  onAcknowledged(groupId: number, seq: number): void {
    if (this.window.unacknowledged > 0) this.#subscriptions.get(groupId)?.onAcknowledged(seq);
  }

  /** @param since what was stored after this `seq` is sent on this connection in any case */
  subscribe(feed: GroupFeed, since?: number): Subscription {
    const subscription = new Subscription(this, feed, since);
    this.#subscriptions.set(feed.id, subscription);
    feed.add(subscription);
    return subscription;
  }

  /** The subscription is over: `Subscription.leave` reports it. */
  onLeft(subscription: Subscription): void {
    this.#subscriptions.delete(subscription.feed.id);
    this.owed.forget(subscription);
    subscription.feed.remove(subscription);
  }

  /** Leaves all groups. What is under way for this connection stops. */
  close(): void {
    this.#isClosed = true;
    this.window.close();
    for (const subscription of [...this.#subscriptions.values()]) subscription.leave();
  }
}

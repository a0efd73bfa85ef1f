import type { Names } from '@hooligram/bus';
import type { ClientSocket } from '../client-socket.ts';
import { ChannelRegistry, type ChannelsOf } from './channel-registry.ts';
import type { DeliveryCursor } from './delivery-cursor.ts';
import type { WindowSize } from './replay-window.ts';
import type { Subscription } from './subscription.ts';
import { UserConnection } from './user-connection.ts';

/** A user who is signed in here, on any number of connections. */
export class User {
  readonly userId: number;
  readonly sid: string;
  /** Resolves when what is published to the user is received here. */
  readonly listening: Promise<void>;
  #connections: readonly UserConnection[] = [];

  constructor(userId: number, sid: string, listening: Promise<void>) {
    this.userId = userId;
    this.sid = sid;
    this.listening = listening;
  }

  /**
   * In the order in which they signed in; a list of this moment. Nearly always it is one, and a list of one takes a third of
   * the memory of a set.
   */
  get connections(): readonly UserConnection[] {
    return this.#connections;
  }

  /** Whether somebody is there: what the user asked for and nobody needs any more is not requested (`core/credit.ts`). */
  get isOpen(): boolean {
    return this.#connections.length > 0;
  }

  add(connection: UserConnection): void {
    // A list that grows by `push` has room for sixteen more.
    if (this.#connections.length === 0) this.#connections = [connection];
    else this.#connections = [...this.#connections, connection];
  }

  remove(connection: UserConnection): void {
    this.#connections = this.#connections.filter((one) => one !== connection);
  }

  isIn(groupId: number): boolean {
    return this.connections.some((connection) => connection.isIn(groupId));
  }

  cursorIn(groupId: number): DeliveryCursor | undefined {
    const connection = this.connections.find((one) => one.isIn(groupId));
    return connection?.find(groupId)?.cursor;
  }

  /** The subscriptions of a group on which its state was sent. */
  subscriptionsTo(groupId: number): Subscription[] {
    const subscriptions = this.connections.flatMap((connection) => connection.find(groupId) ?? []);
    return subscriptions.filter(({ hasState }) => hasState);
  }

  /** Something that was sent in the group, perhaps live, may be unacknowledged. */
  noteOwed(groupId: number): void {
    for (const connection of this.connections) {
      const subscription = connection.find(groupId);
      if (subscription) connection.owed.note(subscription);
    }
  }

  /** The same for all groups: looks at each. */
  noteAllOwed(): void {
    for (const connection of this.connections) {
      for (const subscription of connection.subscriptions()) connection.owed.note(subscription);
    }
  }

  /**
   * The cursors of groups in which a connection was sent something that is not acknowledged. Those are behind all others
   * when this is asked again.
   */
  takeOwedCursors(countMax: number): DeliveryCursor[] {
    const cursors = new Set<DeliveryCursor>();
    for (const { owed } of this.connections) {
      const taken: Subscription[] = [];
      for (const subscription of owed) {
        if (cursors.size >= countMax) break;
        if (subscription.cursor) cursors.add(subscription.cursor);
        taken.push(subscription);
      }
      for (const subscription of taken) owed.defer(subscription);
    }
    return [...cursors];
  }

  /** Whether a connection has not been sent, or has not acknowledged, something that is the user's. */
  get isBehind(): boolean {
    for (const connection of this.connections) if (connection.isBehind) return true;
    return false;
  }

  /** Whether one of those has acknowledged nothing of its replay for so many milliseconds. */
  isLate(forMs: number): boolean {
    for (const connection of this.connections) {
      if (connection.isBehind && !connection.window.isMoving(forMs)) return true;
    }
    return false;
  }

  /** The user's cursor in the group was raised to what is stored. */
  onRaised(groupId: number): void {
    for (const connection of this.connections) connection.find(groupId)?.onRaised();
  }
}

export class Users extends ChannelRegistry<User> {
  readonly #replayWindow: WindowSize;

  /** @param replayWindow how much of replays on one connection may wait for its acknowledgement */
  constructor(names: Names, channelsOf: ChannelsOf, replayWindow: WindowSize) {
    super(channelsOf, names.user);
    this.#replayWindow = replayWindow;
  }

  connectionsOf(userId: number): UserConnection[] {
    return [...(this.find(userId)?.connections ?? [])];
  }

  signIn(socket: ClientSocket, userId: number, sid: string, credentialVersion?: number): UserConnection {
    const user = this.open(userId, (listening) => new User(userId, sid, listening));
    const connection = new UserConnection(user, socket, this.#replayWindow, credentialVersion);
    user.add(connection);
    return connection;
  }

  /** Takes the connection out of all groups and away from its user, at once. */
  signOut(connection: UserConnection): void {
    const { user } = connection;
    connection.close();
    user.remove(connection);
    if (user.connections.length === 0) this.close(user.userId);
  }
}

import type { GroupState } from '@hooligram/contract';
import { DeliveryCursor } from './delivery-cursor.ts';
import type { Subscription } from './subscription.ts';

/** Who is signed in here. */
type LocalUsers = {
  find(
    userId: number,
  ): { subscriptionsTo(groupId: number): Pick<Subscription, 'leave' | 'restart'>[] } | undefined;
};

/** The users here who are members of a group by its newest state, with their cursors. */
export class LocalMembers {
  readonly #groupId: number;
  readonly #users: LocalUsers;
  /** The one that there is; of several, undefined: a map of one takes some 200 bytes more. */
  #only: DeliveryCursor | undefined;
  #several: Map<number, DeliveryCursor> | undefined;

  constructor(groupId: number, users: LocalUsers) {
    this.#groupId = groupId;
    this.#users = users;
  }

  cursorOf(userId: number): DeliveryCursor | undefined {
    if (this.#several) return this.#several.get(userId);
    return this.#only?.userId === userId ? this.#only : undefined;
  }

  cursors(): Iterable<DeliveryCursor> {
    if (this.#several) return this.#several.values();
    return this.#only ? [this.#only] : [];
  }

  forget(userId: number): void {
    if (this.#only?.userId === userId) this.#only = undefined;
    if (!this.#several?.delete(userId) || this.#several.size > 1) return;
    [this.#only] = this.#several.values();
    this.#several = undefined;
  }

  /**
   * @param isNewer than the state before: a user whom it does not name leaves the group at once
   * @returns the users here whom it names
   */
  apply({ members }: Pick<GroupState, 'members'>, isNewer: boolean): Iterable<number> {
    const named = new Map<number, number>();
    for (const [userId, , joinedSeq] of members) if (this.#users.find(userId)) named.set(userId, joinedSeq);
    if (isNewer) for (const { userId } of this.cursors()) if (!named.has(userId)) this.#remove(userId);
    for (const [userId, joinedSeq] of named) this.admit(userId, joinedSeq);
    return named.keys();
  }

  /** The state that applies names this user. */
  admit(userId: number, joinedSeq: number): void {
    const cursor = this.cursorOf(userId);
    if (!cursor) {
      this.#add(new DeliveryCursor(userId, this.#groupId, joinedSeq));
      return;
    }
    if (cursor.joinedSeq === joinedSeq) return;
    // The user left and was added again, and only the second got here.
    cursor.rejoin(joinedSeq);
    for (const subscription of this.#subscriptionsOf(userId)) subscription.restart(joinedSeq);
  }

  #add(cursor: DeliveryCursor): void {
    if (!this.#several && !this.#only) {
      this.#only = cursor;
      return;
    }
    this.#several ??= new Map(this.#only && [[this.#only.userId, this.#only]]);
    this.#only = undefined;
    this.#several.set(cursor.userId, cursor);
  }

  #remove(userId: number): void {
    this.forget(userId);
    for (const subscription of this.#subscriptionsOf(userId)) subscription.leave();
  }

  #subscriptionsOf(userId: number): Pick<Subscription, 'leave' | 'restart'>[] {
    return this.#users.find(userId)?.subscriptionsTo(this.#groupId) ?? [];
  }
}

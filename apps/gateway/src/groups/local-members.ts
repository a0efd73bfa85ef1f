import type { GroupState } from '@hooligram/contract';
import { DeliveryCursor } from './delivery-cursor.ts';
import type { Subscription } from './subscription.ts';
import type { Users } from './users.ts';

/** The users here who are members of a group by its newest state, with their cursors. */
export class LocalMembers {
  readonly #groupId: number;
  readonly #users: Users;
  readonly #cursors = new Map<number, DeliveryCursor>();

  constructor(groupId: number, users: Users) {
    this.#groupId = groupId;
    this.#users = users;
  }

  cursorOf(userId: number): DeliveryCursor | undefined {
    return this.#cursors.get(userId);
  }

  cursors(): Iterable<DeliveryCursor> {
    return this.#cursors.values();
  }

  forget(userId: number): void {
    this.#cursors.delete(userId);
  }

  /**
   * @param isNewer than the state before: a user whom it does not name leaves the group at once
   * @returns the users here whom it names
   */
  apply({ members }: GroupState, isNewer: boolean): Iterable<number> {
    const named = new Map<number, number>();
    for (const [userId, , joinedSeq] of members) if (this.#users.find(userId)) named.set(userId, joinedSeq);
    if (isNewer) for (const userId of this.#cursors.keys()) if (!named.has(userId)) this.#remove(userId);
    for (const [userId, joinedSeq] of named) this.admit(userId, joinedSeq);
    return named.keys();
  }

  /** The state that applies names this user. */
  admit(userId: number, joinedSeq: number): void {
    const cursor = this.#cursors.get(userId);
    if (!cursor) {
      this.#cursors.set(userId, new DeliveryCursor(userId, this.#groupId, joinedSeq));
      return;
    }
    if (cursor.joinedSeq === joinedSeq) return;
    // The user left and was added again, and only the second got here.
    cursor.rejoin(joinedSeq);
    for (const subscription of this.#subscriptionsOf(userId)) subscription.restart(joinedSeq);
  }

  #remove(userId: number): void {
    this.#cursors.delete(userId);
    for (const subscription of this.#subscriptionsOf(userId)) subscription.leave();
  }

  #subscriptionsOf(userId: number): Subscription[] {
    return this.#users.find(userId)?.subscriptionsTo(this.#groupId) ?? [];
  }
}

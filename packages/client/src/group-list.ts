import type { Group } from './events.ts';

/**
 * Some servers do not say when all groups were sent: they have been sent when none came for so long. The server gives a
 * sign-in up, and closes the connection, before that.
 */
const quietMs = 30_000;

/**
 * The groups that the user is in.
 *
 * After a sign-in the server sends the state of every group. What was not sent again is gone, but only once it is
 * known that all were sent: until then silence means that the server is slow, or about to break.
 */
export class GroupList {
  #groups: ReadonlyMap<number, Group> = new Map();
  #unconfirmed = new Set<number>();
  #listing: object | undefined;
  /** Waits for silence, where the server says nothing else. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onComplete: (gone: readonly number[]) => void;

  /** @param onComplete called once for each sign-in whose groups came, with the groups that did not come again */
  constructor(onComplete: (gone: readonly number[]) => void) {
    this.#onComplete = onComplete;
  }

  get groups(): ReadonlyMap<number, Group> {
    return this.#groups;
  }

  /** The newest sign-in whose groups have not all come; the answer of an earlier one says nothing. */
  get listing(): object | undefined {
    return this.#listing;
  }

  /** A sign-in begins: if it succeeds, all states will come. */
  expect(): void {
    this.interrupt();
    this.#unconfirmed = new Set(this.#groups.keys());
    this.#listing = {};
  }

  /** The server said that it sent all states, and they came before that. */
  complete(listing: object | undefined): void {
    if (!listing || listing !== this.#listing) return;
    this.interrupt();
    const gone = [...this.#unconfirmed];
    for (const groupId of gone) this.remove(groupId);
    this.#onComplete(gone);
  }

  /** The sign-in succeeded, and the server cannot say when it has sent all states. */
  completeWhenQuiet(listing: object | undefined): void {
    if (!listing || listing !== this.#listing) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.complete(listing), quietMs);
  }

  /** The socket has ended: a group that did not come may still be there. */
  interrupt(): void {
    this.#listing = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  set(group: Group): void {
    this.#groups = new Map(this.#groups).set(group.group_id, group);
    this.#confirm(group.group_id);
  }

  /** @returns whether it was there */
  remove(groupId: number): boolean {
    this.#confirm(groupId);
    if (!this.#groups.has(groupId)) return false;
    this.#groups = new Map([...this.#groups].filter(([id]) => id !== groupId));
    return true;
  }

  #confirm(groupId: number): void {
    this.#unconfirmed.delete(groupId);
    if (this.#timer) this.completeWhenQuiet(this.#listing);
  }
}

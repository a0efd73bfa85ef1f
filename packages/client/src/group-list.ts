import type { Group } from './events.ts';

/** The states follow each other closely, so the list is complete when none has come for so long. */
const quietMs = 1_000;
/** Without any state, somebody new probably has no group … */
const emptyMs = 3_000;
/** … and for somebody who had groups the server is slow: it sends them within this time or ends the connection. */
const patienceMs = 30_000;

/**
 * The groups that a person is in.
 *
 * After a sign-in the server sends the state of every group, and does not say which is the last. What was not
 * told again goes when no more seem to come; should its state come late, the group is back.
 */
export class GroupList {
  #groups: ReadonlyMap<number, Group> = new Map();
  #untold = new Set<number>();
  #isExpecting = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onComplete: (gone: readonly number[]) => void;

  /** @param onComplete called some time after each sign-in, with the groups that the person is no longer in */
  constructor(onComplete: (gone: readonly number[]) => void) {
    this.#onComplete = onComplete;
  }

  get groups(): ReadonlyMap<number, Group> {
    return this.#groups;
  }

  /** A sign-in begins: all states will come. */
  expect(): void {
    this.#untold = new Set(this.#groups.keys());
    this.#isExpecting = true;
    this.#completeIn(this.#untold.size > 0 ? patienceMs : emptyMs);
  }

  /** The link has ended: what did not come says nothing. */
  interrupt(): void {
    this.#isExpecting = false;
    clearTimeout(this.#timer);
  }

  set(group: Group): void {
    this.#groups = new Map(this.#groups).set(group.group_id, group);
    this.#tell(group.group_id);
  }

  /** @returns whether it was there */
  remove(groupId: number): boolean {
    this.#tell(groupId);
    if (!this.#groups.has(groupId)) return false;
    this.#groups = new Map([...this.#groups].filter(([id]) => id !== groupId));
    return true;
  }

  #tell(groupId: number): void {
    this.#untold.delete(groupId);
    if (this.#isExpecting) this.#completeIn(quietMs);
  }

  #completeIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isExpecting = false;
      const gone = [...this.#untold];
      for (const groupId of gone) this.remove(groupId);
      this.#onComplete(gone);
    }, ms);
  }
}

import type { Names, Subscriptions } from '@hooligram/bus';
import type { Session } from '../session.ts';

export type Person = {
  readonly userId: number;
  readonly sid: string;
  readonly sessions: Set<Session>;
  /** Resolves when what concerns the person is heard here. */
  readonly listening: Promise<void>;
};

/** The people who are signed in here, each on any number of connections. */
export class People {
  readonly #people = new Map<number, Person>();
  readonly #names: Names;
  readonly #subscriptions: Subscriptions;

  constructor(names: Names, subscriptions: Subscriptions) {
    this.#names = names;
    this.#subscriptions = subscriptions;
  }

  get size(): number {
    return this.#people.size;
  }

  has(userId: number): boolean {
    return this.#people.has(userId);
  }

  find(userId: number): Person | undefined {
    return this.#people.get(userId);
  }

  ids(): number[] {
    return [...this.#people.keys()];
  }

  sessionsOf(userId: number): Session[] {
    return [...(this.#people.get(userId)?.sessions ?? [])];
  }

  /** Notes that a connection is this person's, and begins to listen to what concerns them. */
  enter(session: Session, userId: number, sid: string): Person {
    const listening = this.#subscriptions.acquire(this.#names.user(userId));
    const person = this.#people.get(userId) ?? { userId, sid, sessions: new Set(), listening };
    this.#people.set(userId, person);
    person.sessions.add(session);
    return person;
  }

  leave(session: Session, person: Person): void {
    if (!person.sessions.delete(session)) return;
    if (person.sessions.size === 0) this.#people.delete(person.userId);
    this.#subscriptions.release(this.#names.user(person.userId));
  }
}

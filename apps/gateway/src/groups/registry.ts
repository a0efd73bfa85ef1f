import type { Names, Subscriptions } from '@hooligram/bus';
import type { GatewayContext } from '../context.ts';
import { Group } from './group-feed.ts';

/** The groups that have a connection here; each is listened to as long as somebody holds it. */
export class Groups {
  readonly #groups = new Map<number, Group>();
  readonly #names: Names;
  readonly #subscriptions: Subscriptions;

  constructor(names: Names, subscriptions: Subscriptions) {
    this.#names = names;
    this.#subscriptions = subscriptions;
  }

  get size(): number {
    return this.#groups.size;
  }

  find(id: number): Group | undefined {
    return this.#groups.get(id);
  }

  all(): Iterable<Group> {
    return this.#groups.values();
  }

  hold(context: GatewayContext, id: number): Group {
    let group = this.#groups.get(id);
    if (!group) {
      group = new Group(id, context);
      group.listening = this.#subscriptions.acquire(this.#names.group(id));
      this.#groups.set(id, group);
    }
    group.holders += 1;
    return group;
  }

  release(group: Group): void {
    group.holders -= 1;
    if (group.holders > 0) return;
    group.drop();
    this.#groups.delete(group.id);
    this.#subscriptions.release(this.#names.group(group.id));
  }
}

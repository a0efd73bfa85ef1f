import { encodeConnectionsAsked, encodeUserConnections, type UserConnections } from '@hooligram/contract';
import type { User } from '../groups/users.ts';
import type { GatewayMetrics } from '../metrics.ts';

/** So long after it was asked for, what gateways have said counts. One that needs longer is taken to have none. */
const countMs = 1_000;

type Options = {
  /** The name of this gateway among all nodes. */
  readonly node: string;
  readonly connectionsMax: number;
  readonly metrics: Pick<GatewayMetrics, 'connectionsCounted'>;
  find(userId: number): User | undefined;
  /** Publishes to all gateways that hold the user, this one too. */
  publish(userId: number, publication: string): void;
  /** Closes so many of the user's connections to this gateway, those that signed in first. */
  close(user: User, connections: number): void;
};

type Elsewhere = {
  /** By gateway, when each of the user's connections there signed in, by its clock. */
  readonly gateways: Map<string, readonly number[]>;
  counting: NodeJS.Timeout | undefined;
};

/**
 * How many connections a user has on all gateways together. Whoever holds a connection of the user is subscribed to the
 * user's channel, and says there at each sign-in which connections it has. The gateway that has held the user for longest
 * has heard all others, so it knows of as many as there are, or more: of those that have closed, and of gateways that have
 * died, nobody says anything. So that is only a reason to ask. Then all gateways say which they have now, all hear the same
 * of all, and each closes those of its own that are too many. Who died says nothing, and counts for nothing.
 *
 * Nothing is stored, and a user on one gateway costs a publication a sign-in that comes back to it alone.
 */
export class ConnectionsElsewhere {
  readonly #options: Options;
  readonly #users = new Map<number, Elsewhere>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** The user has signed in on a further connection. */
  async signedIn(user: User): Promise<void> {
    // What the others say from then on is heard.
    await user.listening;
    if (user.connections.length === 0) return;
    this.#say(user);
    this.#askIfTooMany(user, this.#users.get(user.userId));
  }

  /** A gateway says which connections of a user it has. */
  receive({ user_id, gateway, signed_in_at }: UserConnections): void {
    const { node, find } = this.#options;
    const user = find(user_id);
    if (!user || gateway === node) return;
    const elsewhere = this.#of(user_id);
    elsewhere.gateways.set(gateway, signed_in_at);
    this.#askIfTooMany(user, elsewhere);
  }

  /** A gateway, perhaps this one, asks all others which connections of a user they have. */
  asked(userId: number): void {
    const user = this.#options.find(userId);
    if (!user) return;
    const elsewhere = this.#of(userId);
    // All receive the first question first: the count that it began is on its way.
    if (elsewhere.counting) return;
    elsewhere.gateways.clear();
    elsewhere.counting = setTimeout(() => this.#count(userId, elsewhere), countMs).unref();
    this.#say(user);
  }

  /** One of the user's connections to this gateway has ended. While all count, it must not count twice: it may be back elsewhere. */
  signedOut(userId: number): void {
    const elsewhere = this.#users.get(userId);
    if (!elsewhere) return;
    const { node, find, publish } = this.#options;
    const user = find(userId);
    if (elsewhere.counting && user) this.#say(user);
    else if (elsewhere.counting) {
      publish(userId, encodeUserConnections({ user_id: userId, gateway: node, signed_in_at: [] }));
    }
    if (user) return;
    clearTimeout(elsewhere.counting);
    this.#users.delete(userId);
  }

  #askIfTooMany({ userId, connections }: User, elsewhere: Elsewhere | undefined): void {
    if (!elsewhere || elsewhere.counting) return;
    let all = connections.length;
    for (const times of elsewhere.gateways.values()) all += times.length;
    const { connectionsMax, publish } = this.#options;
    if (all > connectionsMax) publish(userId, encodeConnectionsAsked({ user_id: userId }));
  }

  #of(userId: number): Elsewhere {
    const known = this.#users.get(userId);
    if (known) return known;
    const elsewhere: Elsewhere = { gateways: new Map(), counting: undefined };
    this.#users.set(userId, elsewhere);
    return elsewhere;
  }

  #say({ userId, connections }: User): void {
    const { node, publish } = this.#options;
    const signed_in_at = [...connections].map(({ signedInAt }) => signedInAt);
    publish(userId, encodeUserConnections({ user_id: userId, gateway: node, signed_in_at }));
  }

  #count(userId: number, elsewhere: Elsewhere): void {
    elsewhere.counting = undefined;
    const { node, connectionsMax, metrics, find, close } = this.#options;
    const user = find(userId);
    if (!user) return;
    const own = [...user.connections].map(({ signedInAt }) => signedInAt);
    const all = [...elsewhere.gateways, [node, own] as const].flatMap(([gateway, times]) =>
      times.map((at) => ({ gateway, at })),
    );
    const excess = Math.max(0, all.length - connectionsMax);
    metrics.connectionsCounted.inc({ outcome: excess > 0 ? 'too many' : 'within' });
    // The same order on all gateways.
    const first = all.sort((one, other) => one.at - other.at || (one.gateway < other.gateway ? -1 : 1));
    const ownExcess = first.slice(0, excess).filter(({ gateway }) => gateway === node).length;
    if (ownExcess > 0) close(user, ownExcess);
  }
}

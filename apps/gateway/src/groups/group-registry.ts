import type { Names } from '@hooligram/bus';
import { ChannelRegistry, type ChannelsOf } from './channel-registry.ts';
import { type FeedDeps, GroupFeed } from './group-feed.ts';
import { type JoinDeps, joinAllGroups, joinGroups } from './join.ts';
import type { UserConnection } from './user-connection.ts';

type Deps = Omit<FeedDeps, 'join' | 'close'> & Omit<JoinDeps, 'openFeed'>;

/** The groups that have a connection here. */
export class GroupRegistry extends ChannelRegistry<GroupFeed> {
  readonly #deps: FeedDeps & JoinDeps;

  constructor(names: Names, channelsOf: ChannelsOf, deps: Deps) {
    super(channelsOf, names.group);
    this.#deps = {
      ...deps,
      openFeed: (id) => this.open(id, (listening) => new GroupFeed(id, listening, this.#deps)),
      join: (connection, groupId, since) => void this.join(connection, [groupId], [since]),
      close: (id) => this.close(id),
    };
  }

  /** Brings a connection into groups: see `joinGroups`. */
  join(
    connection: UserConnection,
    groupIds: readonly number[],
    since: readonly number[] = [],
  ): Promise<void> {
    return joinGroups(this.#deps, connection, groupIds, since);
  }

  /** Brings a connection into all groups of its user: see `joinAllGroups`. */
  joinAll(
    connection: UserConnection,
    groupIds: readonly number[],
    since: readonly number[] = [],
    onRead?: () => void,
  ): Promise<void> {
    return joinAllGroups(this.#deps, connection, groupIds, since, onRead);
  }
}

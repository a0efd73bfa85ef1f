import { createNames } from '@hooligram/bus';
import { createLoopTurns } from '@hooligram/service';
import type { Budgets } from './budgets.ts';
import type { GatewayContext } from './context.ts';
import type { CoreClient } from './core/core-client.ts';
import { CursorWriter } from './delivery/cursor-writer.ts';
import { MessageIndex } from './delivery/message-index.ts';
import { MessageLookup } from './delivery/message-lookup.ts';
import { Overdue } from './delivery/overdue.ts';
import type { ChannelsOf } from './groups/channel-registry.ts';
import type { FeedDeps, GroupFeed } from './groups/group-feed.ts';
import { GroupRegistry } from './groups/group-registry.ts';
import type { JoinDeps } from './groups/join.ts';
import { MembershipReader } from './groups/membership-reader.ts';
import { ReplayPages } from './groups/replay-pages.ts';
import { StateReader } from './groups/state-reader.ts';
import { StateTeller } from './groups/state-teller.ts';
import { type User, Users } from './groups/users.ts';
import { ConnectionsElsewhere } from './limits/connections-elsewhere.ts';

/** What all epochs of the database share. */
type Shared = Pick<GatewayContext, 'config' | 'log' | 'metrics' | 'send' | 'traces'> &
  Pick<FeedDeps, 'publish'> &
  Pick<JoinDeps, 'isAway'> & {
    readonly budgets: Budgets;
    /** The name of this gateway among all nodes. */
    readonly node: string;
    readonly core: CoreClient;
    readonly channelsOf: ChannelsOf;
  };

/** Makes what belongs to one epoch of the database. */
export function createContext(
  epoch: number,
  { core: client, channelsOf, isAway, publish, budgets, node, ...shared }: Shared,
): GatewayContext {
  const { config, metrics, traces } = shared;
  const { signIns, catchUps, requestBudget, frameTurns, clientLimits, socketBuffers } = budgets;
  const { outOfOrder, recentMessages, keptStates } = budgets;
  const names = createNames(config.REDIS_PREFIX, () => epoch);
  const core = client.within(epoch);
  const users = new Users(names, channelsOf, {
    messages: config.REPLAY_WINDOW,
    bytes: config.REPLAY_WINDOW_BYTES,
  });
  const connectionsElsewhere =
    clientLimits &&
    new ConnectionsElsewhere({
      node,
      connectionsMax: config.LIMIT_CONNECTIONS_PER_USER,
      metrics,
      find: (userId) => users.find(userId),
      publish: (userId, publication) => shared.send(userId, names.user(userId), publication),
      close: ({ userId, connections }, count) => clientLimits.closeFirst(userId, connections, count),
    });
  const messageIndex = new MessageIndex<GroupFeed>();
  const cursorWriter = new CursorWriter({ core, epoch, everyMs: config.CURSOR_FLUSH_MS, traces });
  const messageLookup = new MessageLookup({ core, cursorWriter, metrics, clientLimits });
  const overdue = new Overdue({ core, users, cursorWriter }, config.DELIVERY_ACK_DEADLINE_MS);
  const states = new StateReader(core);
  const replayPages = new ReplayPages(core, createLoopTurns());
  const stateTeller = new StateTeller(() => socketBuffers.isCrowded);
  const groups = new GroupRegistry(names, channelsOf, {
    isAway,
    epoch,
    gapWaitMs: config.GAP_WAIT_MS,
    outOfOrderMax: config.GAP_HELD_MAX,
    outOfOrder,
    recentMessages,
    keptStates,
    catchUps,
    core,
    users,
    memberships: new MembershipReader<User>(core),
    states,
    replayPages,
    stateTeller,
    pageTurn: createLoopTurns(),
    messageIndex,
    cursorWriter,
    overdue,
    metrics,
    traces,
    publish,
  });
  return {
    ...shared,
    signIns,
    requestBudget,
    frameTurns,
    clientLimits,
    connectionsElsewhere,
    epoch,
    core,
    users,
    groups,
    states,
    replayPages,
    messageIndex,
    messageLookup,
    cursorWriter,
    overdue,
  };
}

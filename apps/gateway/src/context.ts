import type { Log } from '@hooligram/service';
import type { GatewayConfig } from './config.ts';
import type { Core } from './core/core-client.ts';
import type { CursorWriter } from './delivery/cursor-writer.ts';
import type { MessageIndex } from './delivery/message-index.ts';
import type { MessageLookup } from './delivery/message-lookup.ts';
import type { MessageTraces } from './delivery/message-traces.ts';
import type { Overdue } from './delivery/overdue.ts';
import type { FrameTurns } from './frame-turns.ts';
import type { GroupFeed } from './groups/group-feed.ts';
import type { GroupRegistry } from './groups/group-registry.ts';
import type { ReplayPages } from './groups/replay-pages.ts';
import type { StateReader } from './groups/state-reader.ts';
import type { Users } from './groups/users.ts';
import type { ClientLimits } from './limits/client-limits.ts';
import type { ConnectionsElsewhere } from './limits/connections-elsewhere.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { Places } from './places.ts';
import type { RequestBudget } from './request-budget.ts';

/**
 * What the frames' handlers and the publications' may use, in one epoch of the database: in another one the same ids and
 * numbers may be of other groups, users and messages. Files of `groups/` and `delivery/` name what they need of it.
 */
export type GatewayContext = {
  readonly config: GatewayConfig;
  readonly epoch: number;
  readonly log: Log;
  readonly metrics: GatewayMetrics;
  readonly signIns: Places;
  readonly requestBudget: RequestBudget;
  readonly frameTurns: FrameTurns;
  readonly clientLimits: ClientLimits | undefined;
  /** Undefined without limits. */
  readonly connectionsElsewhere: ConnectionsElsewhere | undefined;
  readonly core: Core;
  readonly users: Users;
  readonly groups: GroupRegistry;
  readonly states: StateReader;
  readonly replayPages: ReplayPages;
  readonly messageIndex: MessageIndex<GroupFeed>;
  readonly messageLookup: MessageLookup;
  readonly cursorWriter: CursorWriter;
  readonly overdue: Overdue;
  /** Undefined unless messages are traced. */
  readonly traces: MessageTraces | undefined;
  /** Publishes to a core, at most once, about a user: where they live. */
  send(userId: number, channel: string, body: object | string): void;
};

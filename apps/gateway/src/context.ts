import type { Log } from '@hooligram/service';
import type { GatewayConfig } from './config.ts';
import type { Core } from './core/core-client.ts';
import type { Cursors } from './delivery/cursor-writer.ts';
import type { Receipts } from './delivery/message-index.ts';
import type { Lag } from './delivery/overdue.ts';
import type { Groups } from './groups/registry.ts';
import type { People } from './groups/users.ts';
import type { GatewayMetrics } from './metrics.ts';

/** What everything in a gateway may use. */
export type GatewayContext = {
  readonly config: GatewayConfig;
  /** Of the database. All that is here but the core and the metrics knows this one alone. */
  readonly epoch: number;
  readonly log: Log;
  readonly metrics: GatewayMetrics;
  readonly core: Core;
  readonly people: People;
  readonly groups: Groups;
  readonly receipts: Receipts;
  readonly cursors: Cursors;
  readonly lag: Lag;
  /** Publishes to a core, at most once. */
  tell(channel: string, body: object): void;
  /** Sends a frame to every socket on a topic. */
  publish(topic: string, frame: string | Uint8Array): void;
};

import { createNames, type Subscriptions } from '@hooligram/bus';
import type { GatewayContext } from './context.ts';
import type { CoreClient } from './core/core-client.ts';
import { createCursors } from './delivery/cursor-writer.ts';
import { Receipts } from './delivery/message-index.ts';
import { createLag } from './delivery/overdue.ts';
import { raiseMembers } from './groups/raise-cursors.ts';
import { Groups } from './groups/registry.ts';
import { People } from './groups/users.ts';

/** Makes what knows one epoch of the database: in another one the same ids and numbers may be of other things. */
export function createContext(
  epoch: number,
  {
    core,
    subscriptions,
    ...shared
  }: Pick<GatewayContext, 'config' | 'log' | 'metrics' | 'publish' | 'tell'> & {
    readonly core: CoreClient;
    readonly subscriptions: Subscriptions;
  },
): GatewayContext {
  const { CURSOR_FLUSH_MS, DELIVERY_ACK_DEADLINE_MS, REDIS_PREFIX } = shared.config;
  const names = createNames(REDIS_PREFIX, () => epoch);
  const coreOfEpoch = core.within(epoch);
  const people = new People(names, subscriptions);
  const context: GatewayContext = {
    ...shared,
    epoch,
    core: coreOfEpoch,
    people,
    groups: new Groups(names, subscriptions),
    receipts: new Receipts(),
    cursors: createCursors({ core: coreOfEpoch, epoch, everyMs: CURSOR_FLUSH_MS }),
    lag: createLag({
      core: coreOfEpoch,
      people,
      deadlineMs: DELIVERY_ACK_DEADLINE_MS,
      onStored: (cursors) => raiseMembers(context, cursors),
    }),
  };
  return context;
}

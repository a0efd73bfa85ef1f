import type { SentinelSet } from '@hooligram/testkit/sentinels';
import type { FaultContext } from './fault.ts';

/** Kills the primary. Over when the replica is the primary; the dead one comes back as its replica meanwhile. */
export async function killPrimary(context: FaultContext): Promise<void> {
  const sentinels = await whole(context);
  context.log(`SIGKILL to the primary (pid ${(await sentinels.primary()).pid})`);
  await sentinels.killPrimary();
  await sentinels.revive();
}

/** Has the Sentinels demote a primary that is well. */
export async function demotePrimary(context: FaultContext): Promise<void> {
  const sentinels = await whole(context);
  context.log('SENTINEL FAILOVER');
  await sentinels.failOver();
}

/** Freezes the primary until the replica has taken its place: then there are two for a while. */
export async function freezePrimary(context: FaultContext): Promise<void> {
  const sentinels = await whole(context);
  context.log(`SIGSTOP to the primary (pid ${(await sentinels.primary()).pid}) until another one is chosen`);
  await sentinels.freezePrimary();
}

/** What an earlier fault took away is back: without a replica nobody can take over. */
async function whole({ sentinels }: FaultContext): Promise<SentinelSet> {
  if (!sentinels) throw new Error('this fault needs --redis sentinel');
  await sentinels.whole();
  return sentinels;
}

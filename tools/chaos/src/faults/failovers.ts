import type { Failovers } from '../failovers.ts';
import type { FaultContext } from './fault.ts';

/** Kills the primary. Over when the replica is the primary; the dead one comes back as its replica meanwhile. */
export async function killPrimary(context: FaultContext): Promise<void> {
  const failovers = await whole(context);
  context.log(`SIGKILL to the primary (pid ${(await failovers.primary()).pid})`);
  await failovers.killPrimary();
  await failovers.revive();
}

/** Has a primary demoted that is well. */
export async function demotePrimary(context: FaultContext): Promise<void> {
  const failovers = await whole(context);
  context.log('the replica takes the place of the primary');
  await failovers.failOver();
}

/** Freezes the primary until the replica has taken its place: then there are two for a while. */
export async function freezePrimary(context: FaultContext): Promise<void> {
  const failovers = await whole(context);
  context.log(`SIGSTOP to the primary (pid ${(await failovers.primary()).pid}) until another one is chosen`);
  await failovers.freezePrimary();
}

/** What an earlier fault took away is back: without a replica nobody can take over. */
async function whole({ failovers }: FaultContext): Promise<Failovers> {
  if (!failovers) throw new Error('this fault needs --redis sentinel or cluster');
  await failovers.whole();
  return failovers;
}

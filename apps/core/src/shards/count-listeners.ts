import { countListeners, type Names } from '@hooligram/bus';
import { within } from '@hooligram/service';
import type { Shards } from './shards.ts';

const answerTimeoutMs = 1_000;

/**
 * How many gateways are subscribed to each of these channels of users, in their order, asked of each Redis. Who listens at
 * one that is away cannot be told anything there.
 *
 * @throws while Redis is away; of several, only one that went away meanwhile
 */
export async function countListenersOf(
  shards: Shards,
  names: Pick<Names, 'subjectOf'>,
  channels: readonly string[],
): Promise<number[]> {
  if (shards.isOne) return countListeners(shards.first().redis.command, channels);
  const ofShards = new Map<number, string[]>();
  for (const channel of channels) {
    const shard = shards.placement.of(names.subjectOf(channel)?.id ?? 0);
    const some = ofShards.get(shard) ?? [];
    some.push(channel);
    ofShards.set(shard, some);
  }
  const counts = new Map<string, number>();
  const ask = async ([index, some]: [number, string[]]) => {
    const shard = shards.at(index);
    const state = shards.states[index];
    if (!shard || state?.isAway) return state?.miss();
    const listeners = await within(answerTimeoutMs, countListeners(shard.redis.command, some));
    for (const [place, count] of listeners.entries()) counts.set(some[place] as string, count);
  };
  await Promise.all([...ofShards].map(ask));
  return channels.map((channel) => counts.get(channel) ?? 0);
}

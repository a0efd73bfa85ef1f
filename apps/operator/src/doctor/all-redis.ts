import { withoutPasswords } from '@hooligram/service';
import { isCluster, type Place, shardsOf } from '../config.ts';
import { withRedis } from '../stores/redis.ts';
import { type Finding, fault } from './finding.ts';
import { examineRedis } from './redis.ts';

/**
 * Looks at every Redis of a system; with several, each finding says of which.
 * @returns also whether one of them is without a fault
 */
export async function examineAllRedis(place: Place, creditBytes: number) {
  const shards = shardsOf(place);
  const found = await Promise.all(shards.map((shard) => examineRedis(shard, creditBytes)));
  const isOneWell = found.some((findings) => findings.every(({ verdict }) => verdict !== 'fault'));
  if (shards.length === 1) return { findings: found.flat(), isOneWell };
  const findings = found.flatMap((ofOne, at) => {
    const whose = withoutPasswords(place.redisUrls[at] as string);
    return ofOne.map((finding): Finding => ({ ...finding, text: `${whose}: ${finding.text}` }));
  });
  return { findings: [...findings, ...(await twins(shards))], isOneWell };
}

/**
 * Two addresses of one server: what each is to keep would be kept twice, under the same names. Those of a Redis Cluster have
 * names of their own.
 */
async function twins(shards: readonly Place[]): Promise<Finding[]> {
  const runs = await Promise.all(
    shards.map((shard) => withRedis(shard, (redis) => redis.info('server')).catch(() => '')),
  );
  const ids = runs.map((text, at) =>
    isCluster(shards[at] as Place) ? undefined : /^run_id:(\w+)/m.exec(text)?.[1],
  );
  return ids.flatMap((id, at) => {
    const first = ids.indexOf(id);
    if (id === undefined || first === at) return [];
    const [one, other] = [first, at].map((index) => withoutPasswords((shards[index] as Place).redisUrl));
    return [
      fault('redis.twice', `${one} and ${other} are the same server`, 'name each Redis once in REDIS_URL'),
    ];
  });
}

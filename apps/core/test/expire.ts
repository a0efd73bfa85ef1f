import type { Names } from '@hooligram/bus';
import type { Redis } from 'ioredis';

/**
 * Sets the deadline of an entry of the request stream to long ago, without waiting for it. An entry that a core had taken
 * belongs to a dead core then; one that no core had taken is still to be taken.
 */
export async function expire(redis: Redis, { requests, cores }: Names, id: string): Promise<void> {
  const [[, fields] = []] = await redis.xrange(requests, id, id);
  if (!fields) throw new Error(`no entry ${id}`);
  const late = fields.with(fields.indexOf('deadline') + 1, '1');
  const isTaken = (await redis.xpending(requests, cores, id, id, 1)).length === 1;
  const change = redis.multi().xadd(requests, '*', ...late);
  if (isTaken) change.xreadgroup('GROUP', cores, 'dead', 'COUNT', 1_000, 'STREAMS', requests, '>');
  await change.xack(requests, cores, id).xdel(requests, id).exec();
}

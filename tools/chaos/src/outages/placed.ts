import { Placement } from '@hooligram/bus';
import { onPostgres } from '@hooligram/local';
import type { Population } from '../load/population.ts';
import type { Placed } from './outage-report.ts';

/**
 * Where the usual users and groups of a load live. Not those who cost more than others: slow links and long absences
 * would hide what is looked for.
 *
 * @param shards how many Redis there are
 */
export async function placedOn(
  shards: number,
  databaseUrl: string,
  { users, groups }: Population,
): Promise<Placed> {
  const placement = new Placement(shards);
  const usual = new Set(users.map(({ sid }) => sid));
  const query = 'SELECT id::float8 AS id, sid FROM "user" WHERE sid = ANY ($1)';
  const { rows } = await onPostgres(databaseUrl, (client) =>
    client.query<{ id: number; sid: string }>(query, [[...usual]]),
  );
  const shardOfSid = new Map(rows.map(({ id, sid }) => [sid, placement.of(id)]));
  const groupIds = new Set(groups.map(({ id }) => id));
  return {
    shardOfUser: (sid) => shardOfSid.get(sid),
    shardOfGroup: (groupId) => (groupIds.has(groupId) ? placement.of(groupId) : undefined),
  };
}

import type { Membership } from '@hooligram/contract';
import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';
import { undeliveredClosed } from '../sweep/undelivered-closed.sql.ts';

/** All that a user who signs in has: in one snapshot. */
export type GroupsAtSignIn = {
  /** Ordered by group_id. Undefined: there are more than were asked for. */
  readonly memberships: readonly Membership[] | undefined;
  /** Of the user's credential; 0 for one of the time before tokens, and for none. */
  readonly credentialVersion: number;
};

type Row = Membership & { ord: number; credential_version: number };
type RowWithoutGroup = { ord: number; credential_version: number; group_id: null };

/** $1: users, $2: most groups of each. */
const statement = {
  name: 'groups_at_sign_in',
  text: `
SELECT w.ord, coalesce(c.version, 0) AS credential_version, m.*
FROM unnest($1::bigint[]) WITH ORDINALITY AS w (user_id, ord)
LEFT JOIN credential c ON c.user_id = w.user_id
LEFT JOIN LATERAL (
  SELECT m.group_id, g.version, g.closed, m.joined_seq, g.last_seq, m.delivered_seq, m.delivered_version,
    m.retried_version
  FROM group_member m JOIN "group" g ON g.id = m.group_id
  WHERE m.user_id = w.user_id AND (NOT g.closed OR ${undeliveredClosed})
  LIMIT $2
) m ON true`,
};

/**
 * Where these users stand in all their groups, as `replayGroups` would say of each, and the versions of their credentials.
 * @param groupsMax of a user; of one who has more no groups are told
 */
export async function groupsAtSignIn(
  db: Db,
  userIds: readonly number[],
  groupsMax: number,
): Promise<GroupsAtSignIn[]> {
  if (userIds.length === 0) return [];
  const rows = await runStatement<Row | RowWithoutGroup>(db, statement, [userIds, groupsMax + 1]);
  const memberships: Membership[][] = userIds.map(() => []);
  const versions: number[] = userIds.map(() => 0);
  for (const row of rows) {
    versions[row.ord - 1] = row.credential_version;
    if (row.group_id !== null) memberships[row.ord - 1]?.push(membershipOf(row));
  }
  return memberships.map((found, index) => ({
    memberships: found.length > groupsMax ? undefined : found.sort((a, b) => a.group_id - b.group_id),
    credentialVersion: versions[index] ?? 0,
  }));
}

/** Field by field: an object that was copied without one of its fields is a slow one for V8. */
const membershipOf = (row: Row): Membership => ({
  group_id: row.group_id,
  version: row.version,
  closed: row.closed,
  joined_seq: row.joined_seq,
  last_seq: row.last_seq,
  delivered_seq: row.delivered_seq,
  delivered_version: row.delivered_version,
  retried_version: row.retried_version,
});

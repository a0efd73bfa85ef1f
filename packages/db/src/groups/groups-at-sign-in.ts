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

type Row = { ord: number; credential_version: number; memberships: Membership[] | null };

/** $1: users, $2: most groups of each. One row for each, its groups as one list: the driver reads rows field by field. */
const statement = {
  name: 'groups_at_sign_in',
  text: `
SELECT w.ord, coalesce(c.version, 0) AS credential_version, m.memberships
FROM unnest($1::bigint[]) WITH ORDINALITY AS w (user_id, ord)
LEFT JOIN credential c ON c.user_id = w.user_id
CROSS JOIN LATERAL (
  SELECT json_agg(m ORDER BY m.group_id) AS memberships
  FROM (
    SELECT m.group_id, g.version, g.closed, m.joined_seq, g.last_seq, m.delivered_seq, m.delivered_version,
      m.retried_version
    FROM group_member m JOIN "group" g ON g.id = m.group_id
    WHERE m.user_id = w.user_id AND (NOT g.closed OR ${undeliveredClosed})
    LIMIT $2
  ) m
) m`,
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
  const rows = await runStatement<Row>(db, statement, [userIds, groupsMax + 1]);
  const found: GroupsAtSignIn[] = userIds.map(() => ({ memberships: [], credentialVersion: 0 }));
  for (const { ord, credential_version: credentialVersion, memberships } of rows) {
    const isTooMany = memberships !== null && memberships.length > groupsMax;
    found[ord - 1] = { memberships: isTooMany ? undefined : (memberships ?? []), credentialVersion };
  }
  return found;
}

import type { GroupState, MembershipHead } from '@hooligram/contract';
import type { Db } from '../session/db.ts';
import { rowsByPlace, runStatement } from '../statements/statement.ts';
import { undeliveredClosed } from '../sweep/undelivered-closed.sql.ts';

type MembershipQuestion = {
  user_id: number;
  /** Null: all the user's groups. */
  group_ids: readonly number[] | null;
  without_states?: boolean;
};

/**
 * $1, $2: place and user of the questions for all groups; $3, $4, $5: place, user and group of the others; $6: places
 * of the questions that want states. Two types of rows, so that a group's state is made and sent once, however many
 * users asked: memberships (`state` null), and states (`ord` null). One statement, so one snapshot.
 */
const statement = {
  name: 'replay_groups',
  text: `
WITH found AS MATERIALIZED (
  SELECT m.* FROM (
    SELECT w.ord, m.* FROM unnest($1::bigint[], $2::bigint[]) AS w (ord, user_id)
    CROSS JOIN LATERAL (SELECT * FROM group_member m WHERE m.user_id = w.user_id OFFSET 0) m
    UNION ALL
    SELECT w.ord, m.* FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]) AS w (ord, user_id, group_id)
    CROSS JOIN LATERAL (
      SELECT * FROM group_member m WHERE m.group_id = w.group_id AND m.user_id = w.user_id OFFSET 0
    ) m
  ) m
),
open AS MATERIALIZED (
  SELECT m.ord, m.group_id, m.joined_seq, m.delivered_seq, m.delivered_version, m.retried_version, g.last_seq,
    g.version, g.closed
  FROM found m JOIN "group" g ON g.id = m.group_id
  WHERE NOT g.closed OR ${undeliveredClosed}
)
SELECT o.ord, o.group_id, o.version, o.closed, o.joined_seq, o.last_seq, o.delivered_seq, o.delivered_version,
  o.retried_version, NULL AS state
FROM open o
UNION ALL
SELECT NULL, d.group_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, group_state(d.group_id)
FROM (SELECT DISTINCT o.group_id FROM open o WHERE o.ord = ANY ($6::bigint[])) d`,
};

type FoundMembership = MembershipHead & { readonly state?: GroupState };
type MembershipRow = MembershipHead & { ord: number; state: null };
type Row = MembershipRow | { ord: null; group_id: number; state: GroupState };

/**
 * The groups that these users are in, with their cursors, each user's ordered by group_id. A closed group counts
 * only while something of it is undelivered.
 */
export async function replayGroups(
  db: Db,
  questions: readonly MembershipQuestion[],
): Promise<FoundMembership[][]> {
  if (questions.length === 0) return [];
  const all: [ord: number[], user: number[]] = [[], []];
  const some: [ord: number[], user: number[], group: number[]] = [[], [], []];
  for (const [at, { user_id, group_ids }] of questions.entries()) {
    if (group_ids === null) {
      all[0].push(at + 1);
      all[1].push(user_id);
    }
    for (const group_id of new Set(group_ids)) {
      some[0].push(at + 1);
      some[1].push(user_id);
      some[2].push(group_id);
    }
  }
  const withStates = questions.flatMap(({ without_states }, at) => (without_states ? [] : [at + 1]));
  const rows = await runStatement<Row>(db, statement, [...all, ...some, withStates]);

  const states = new Map(rows.flatMap(({ group_id, state }) => (state ? [[group_id, state] as const] : [])));
  const found = rows.filter((row): row is MembershipRow => row.ord !== null);
  return rowsByPlace(questions, found).map((memberships, at) =>
    memberships
      .sort((a, b) => a.group_id - b.group_id)
      .map(({ state: _, ...head }) =>
        questions[at]?.without_states ? head : { ...head, state: states.get(head.group_id) as GroupState },
      ),
  );
}

import { onPostgres } from '@hooligram/local';
import type { Client } from 'pg';

/** Of each group, and of each user. */
const membersEach = 10;
/** The newest messages of each group: what there is of an empty database, too. */
export const recentEach = 10;
/** Coprime with the number of groups, which is a thousand or several: neighbours in time are in other groups. */
const groupStride = 7_919;
/** Coprime with the number of users, as the product with it is. */
const memberStride = 97;
const batchRows = 500_000;
/** Of each fourth group the sixth member has not acknowledged the newest message. */
export const lateEvery = 4;
export const lateMember = 5;

/** The groups and messages of a filled database, by which each of them can be named without asking it. */
export type Filled = {
  /** As many as users: each user is in ten of them. */
  readonly groups: number;
  /** Of each group, when all is stored. */
  readonly lastSeq: number;
  readonly firstUser: number;
  readonly firstGroup: number;
  readonly firstMessage: number;
};

/** @param rows messages of the full database @returns how many groups both have */
export function groupsFor(rows: number): number {
  return 1_000 * Math.min(50, Math.max(1, Math.round(rows / 500_000)));
}

/** The group of a message by its place in time, from 0 on; every group has its turn before one has its next. */
export function groupAt({ groups, firstGroup }: Filled, place: number): number {
  return firstGroup + (((place % groups) * groupStride) % groups);
}

/** One of the ten members of a group. */
export function memberOf({ groups, firstUser, firstGroup }: Filled, group: number, member: number): number {
  return firstUser + (((group - firstGroup) * membersEach + member * memberStride) % groups);
}

export const sidOf = (place: number) => `888.1${String(place).padStart(9, '0')}`;

const createUsers = `
  INSERT INTO "user" (sid) SELECT '888.1' || lpad(place::text, 9, '0') FROM generate_series(0, $1::bigint - 1) place
  ORDER BY place`;

/** $1 the number of groups, $2 their last seq */
const createGroups = `
  INSERT INTO "group" (name, is_direct_message, last_seq, date_created, date_changed)
  SELECT 'year', false, $2, now() - INTERVAL '1 year', now() - INTERVAL '1 year' FROM generate_series(1, $1::bigint)`;

/** As `memberOf`. $1 users, $2 and $3 the first user and group */
const createMembers = `
  INSERT INTO group_member (group_id, user_id, joined_seq, delivered_seq, delivered_version)
  SELECT g.id, $2::bigint + ((g.id - $3::bigint) * ${membersEach} + member * ${memberStride}) % $1::bigint, 0,
    g.last_seq - CASE WHEN member = ${lateMember} AND (g.id - $3::bigint) % ${lateEvery} = 0 THEN 1 ELSE 0 END, 1
  FROM "group" g CROSS JOIN generate_series(0, ${membersEach - 1}) member
  WHERE g.id >= $3::bigint
  ORDER BY 1, 2`;

/**
 * Messages by their place in time, as `groupAt`; their dates go from a year ago to a day ago. $1 and $2 the first and the
 * last place, $3 how many there will be, $4 groups, $5 and $6 the first user and group.
 */
const insertMessages = `
  INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
  SELECT nextval('message_id_seq'), $6::bigint + at.g, at.round + 1,
    $5::bigint + (at.g * ${membersEach} + (at.round % ${membersEach}) * ${memberStride}) % $4::bigint,
    gen_random_uuid(), 'the quick brown fox jumps over a lazy dog',
    now() - INTERVAL '1 day' - (1 - at.place::float8 / $3::float8) * INTERVAL '364 days'
  FROM (
    SELECT place, place / $4::bigint AS round, ((place % $4::bigint) * ${groupStride}) % $4::bigint AS g
    FROM generate_series($1::bigint, $2::bigint) place
  ) at`;

/** Indexes that are built when all is stored, as loose as those that have grown. */
const laterIndexes = {
  message_group_id_seq_key: '(group_id, seq)',
  message_sender_id_request_id_key: '(sender_id, request_id)',
};

/**
 * Fills a migrated database that has no messages: users, groups of ten, and messages of a year, everybody in turn, so that a
 * group's messages lie as far apart as they do after a year. Nearly all are acknowledged.
 *
 * @param rows messages, beside the newest ten of each group
 */
export function fill(
  databaseUrl: string,
  { groups, rows }: { groups: number; rows: number },
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<Filled> {
  return onPostgres(databaseUrl, async (client) => {
    await client.query("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'");
    const lastSeq = Math.ceil(rows / groups) + recentEach;
    await client.query(createUsers, [groups]);
    await client.query(createGroups, [groups, lastSeq]);
    const [firstUser, firstGroup] = [
      await first(client, 'user', groups),
      await first(client, 'group', groups),
    ];
    await client.query(createMembers, [groups, firstUser, firstGroup]);
    // Else it would begin in the middle, and its work would be counted.
    await client.query('ALTER TABLE message SET (autovacuum_enabled = false)');
    for (const index of Object.keys(laterIndexes)) {
      await client.query(`ALTER TABLE message DROP CONSTRAINT ${index}`);
    }
    const all = groups * lastSeq;
    const values = [all, groups, firstUser, firstGroup];
    for (let from = 0; from < all; from += batchRows) {
      signal.throwIfAborted();
      const through = Math.min(all, from + batchRows) - 1;
      await client.query(insertMessages, [from, through, ...values]);
      log(`${(through + 1).toLocaleString('en')} of ${all.toLocaleString('en')} messages stored`);
    }
    for (const [index, columns] of Object.entries(laterIndexes)) {
      signal.throwIfAborted();
      log(`${index} is built`);
      await client.query(`CREATE UNIQUE INDEX ${index} ON message ${columns} WITH (fillfactor = 70)`);
      await client.query(`ALTER TABLE message ADD CONSTRAINT ${index} UNIQUE USING INDEX ${index}`);
    }
    log('VACUUM');
    await client.query('VACUUM (FREEZE, ANALYZE)');
    await client.query('CHECKPOINT');
    const { rows: ids } = await client.query(
      'SELECT min(id)::float8 AS first, max(id)::float8 AS last FROM message',
    );
    const firstMessage = contiguous(ids[0], all);
    return { groups, lastSeq, firstUser, firstGroup, firstMessage };
  });
}

/** How large the table of messages is. @returns megabytes, of its rows and of its indexes */
export function sizesOf(databaseUrl: string): Promise<{ rows: number; indexes: number }> {
  return onPostgres(databaseUrl, async (client) => {
    const { rows } = await client.query(
      "SELECT pg_table_size('message')::float8 AS rows, pg_indexes_size('message')::float8 AS indexes",
    );
    return { rows: rows[0].rows / 1e6, indexes: rows[0].indexes / 1e6 };
  });
}

/** Of the newest so many rows of a table, which were made together. */
async function first(client: Client, table: 'user' | 'group', count: number): Promise<number> {
  const { rows } = await client.query(
    `SELECT min(id)::float8 AS first, max(id)::float8 AS last FROM (SELECT id FROM "${table}" ORDER BY id DESC LIMIT $1) t`,
    [count],
  );
  return contiguous(rows[0], count);
}

function contiguous({ first, last }: { first: number; last: number }, count: number): number {
  if (last - first !== count - 1) throw new Error('something else was stored while the database was filled');
  return first;
}

import type { Db } from './db.ts';

/** With these a commit is on this server's disk, and on a synchronous standby's if there is one, when it returns. */
const durable = ['on', 'remote_apply'];

/**
 * Our sessions ask for `synchronous_commit = on` at their start. Something between us and the server may drop that.
 *
 * @throws Error one clear line if commits would be answered before they are on disk
 */
export async function requireDurableCommits({ pool }: Pick<Db, 'pool'>): Promise<void> {
  const { rows } = await pool.query<{ level: string }>(
    `SELECT current_setting('synchronous_commit') AS level`,
  );
  const level = rows[0]?.level ?? '';
  if (durable.includes(level)) return;
  throw new Error(
    `synchronous_commit is ${level} in our sessions, so a crash of Postgres would lose what was answered: ` +
      `set it with ALTER ROLE ... SET synchronous_commit = on, or let the pooler pass startup options`,
  );
}

import { onPostgres } from '@hooligram/local';
import { Redis } from 'ioredis';
import type { RunningTarget } from '../targets/target.ts';

/** What a system has done since its stores began, as they and its processes count it. */
export type Costs = {
  /** Jobs that were added. */
  readonly jobs: number;
  /** Stream entries that cores took. */
  readonly entries: number;
  /** Commands that Redis ran, those inside of scripts included. */
  readonly redisCommands: number;
  /** Rows that Postgres inserted, updated or deleted. */
  readonly rows: number;
};

/** A connection of Postgres that has become idle reports its rows within this time. */
export const reportedWithinMs = 10_500;

const changedRows = `
  SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::float8 AS changed FROM pg_stat_user_tables`;

/** @returns undefined when the stores are not ours to read */
export async function readCosts({ stores }: RunningTarget): Promise<Costs | undefined> {
  if (!stores) return undefined;
  const { redisUrls, databaseUrl, metricsUrls } = stores();
  const [commands, rows, counts] = await Promise.all([
    Promise.all(redisUrls.map(countCommands)),
    onPostgres(databaseUrl, async (client) => Number((await client.query(changedRows)).rows[0]?.changed)),
    Promise.all(metricsUrls.map(coreCounts)),
  ]);
  const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
  return {
    redisCommands: sum(commands),
    rows,
    jobs: sum(counts.map(({ jobs }) => jobs)),
    entries: sum(counts.map(({ entries }) => entries)),
  };
}

/** @param messages committed between the two readings */
export function costFigures(
  before: Costs | undefined,
  after: Costs | undefined,
  messages: number,
): Record<string, number> {
  if (!before || !after) return {};
  return {
    jobs_per_message: (after.jobs - before.jobs) / messages,
    entries_per_message: (after.entries - before.entries) / messages,
    redis_per_message: (after.redisCommands - before.redisCommands) / messages,
    rows_per_message: (after.rows - before.rows) / messages,
  };
}

/** Checkpoints that Postgres has begun; 0 if it is not ours to read. */
export async function countCheckpoints({ stores }: RunningTarget): Promise<number> {
  if (!stores) return 0;
  return onPostgres(stores().databaseUrl, async (client) => {
    const { rows } = await client.query<{ version: number }>(
      "SELECT current_setting('server_version_num')::int AS version",
    );
    // Postgres 17 moved them.
    const [view, columns] =
      (rows[0]?.version ?? 0) >= 170_000
        ? ['pg_stat_checkpointer', 'num_timed + num_requested']
        : ['pg_stat_bgwriter', 'checkpoints_timed + checkpoints_req'];
    return Number((await client.query(`SELECT ${columns} AS count FROM ${view}`)).rows[0]?.count);
  });
}

/** Bytes that several Redis use for what is in them, and for their clients and channels. */
export async function countRedisBytes(urls: readonly string[]): Promise<number> {
  const texts = await Promise.all(urls.map((url) => infoOf(url, 'memory')));
  return texts.reduce((sum, text) => sum + Number(/^used_memory:(\d+)/m.exec(text)?.[1]), 0);
}

async function countCommands(url: string): Promise<number> {
  const lines = (await infoOf(url, 'commandstats')).matchAll(/^cmdstat_[^:]+:calls=(\d+)/gm);
  return [...lines].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

async function infoOf(url: string, section: string): Promise<string> {
  const redis = new Redis(url);
  try {
    return await redis.info(section);
  } finally {
    redis.disconnect();
  }
}

async function coreCounts(url: string): Promise<Pick<Costs, 'jobs' | 'entries'>> {
  const text = await (await fetch(url)).text();
  const countOf = (lines: RegExp) =>
    [...text.matchAll(lines)].reduce((sum, [, count]) => sum + Number(count), 0);
  return {
    jobs: countOf(/^hooligram_core_jobs_added_total\{[^}]*\} (\d+)/gm),
    entries: countOf(/^hooligram_core_entry_age_seconds_count(?:\{[^}]*\})? (\d+)/gm),
  };
}

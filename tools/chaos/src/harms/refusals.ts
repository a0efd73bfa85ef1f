import { setTimeout as pause } from 'node:timers/promises';
import type { StackDescription } from '@hooligram/local';
import pg from 'pg';
import type { HarmContext } from './harm.ts';
import { onRedis } from './part.ts';

const refusingMs = 8_000;

/** Makes a replica of Redis, of a primary that is not there: it answers, and refuses every write. */
export async function demoteRedis({ stack, log, signal }: HarmContext): Promise<void> {
  log(`REPLICAOF for ${refusingMs / 1000} s: Redis takes no writes`);
  await onRedis(stack(), (redis) => redis.replicaof('127.0.0.1', 1));
  try {
    await pause(refusingMs, undefined, { signal });
  } finally {
    await onRedis(stack(), (redis) => redis.replicaof('NO', 'ONE'));
  }
}

/** Leaves Redis no memory: it refuses whatever needs some, and publishes all the same. */
export async function fillRedis({ stack, log, signal }: HarmContext): Promise<void> {
  log(`maxmemory of 1 MB for ${refusingMs / 1000} s: Redis is full`);
  await onRedis(stack(), (redis) => redis.config('SET', 'maxmemory', '1mb'));
  try {
    await pause(refusingMs, undefined, { signal });
  } finally {
    await onRedis(stack(), (redis) => redis.config('SET', 'maxmemory', '0'));
  }
}

/** Lets every session of Postgres read, and none write: what is left of it in a failover. */
export async function makePostgresReadOnly({ stack, log, signal }: HarmContext): Promise<void> {
  log(`Postgres is read-only for ${refusingMs / 1000} s`);
  await onPostgres(stack(), 'ALTER SYSTEM SET default_transaction_read_only = on');
  try {
    await pause(refusingMs, undefined, { signal });
  } finally {
    await onPostgres(stack(), 'ALTER SYSTEM RESET default_transaction_read_only');
  }
}

async function onPostgres({ postgres }: StackDescription, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
    await client.query('SELECT pg_reload_conf()');
  } finally {
    await client.end();
  }
}

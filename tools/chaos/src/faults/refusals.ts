import { onPostgres } from '@hooligram/local';
import { onRedis } from '../on-redis.ts';
import { anyRedis } from './component.ts';
import { type FaultContext, whileItLasts } from './fault.ts';

const refusingMs = 8_000;

/** Makes Redis a replica of a primary that does not exist: it answers, and refuses every write. */
export async function demoteRedis(context: FaultContext): Promise<void> {
  const { url, name } = anyRedis(context);
  await refuse(
    context,
    `${name} takes no writes (REPLICAOF)`,
    () => onRedis(url, (redis) => redis.replicaof('127.0.0.1', 1)),
    () => onRedis(url, (redis) => redis.replicaof('NO', 'ONE')),
  );
}

/** Leaves Redis no memory: it refuses every command that needs some, and publishes all the same. */
export async function fillRedis(context: FaultContext): Promise<void> {
  const { url, name } = anyRedis(context);
  await refuse(
    context,
    `${name} is full (maxmemory of 1 MB)`,
    () => onRedis(url, (redis) => redis.config('SET', 'maxmemory', '1mb')),
    () => onRedis(url, (redis) => redis.config('SET', 'maxmemory', '0')),
  );
}

/** Lets every session of Postgres read, and none write, as during a failover. */
export async function makePostgresReadOnly(context: FaultContext): Promise<void> {
  const { url } = context.stack().postgres;
  const alter = (statement: string) =>
    onPostgres(url, async (client) => {
      await client.query(`ALTER SYSTEM ${statement}`);
      await client.query('SELECT pg_reload_conf()');
    });
  await refuse(
    context,
    'Postgres is read-only',
    () => alter('SET default_transaction_read_only = on'),
    () => alter('RESET default_transaction_read_only'),
  );
}

async function refuse(
  context: FaultContext,
  what: string,
  begin: () => Promise<unknown>,
  end: () => Promise<unknown>,
): Promise<void> {
  context.log(what);
  await begin();
  try {
    await whileItLasts(refusingMs, context);
  } finally {
    await end();
  }
}

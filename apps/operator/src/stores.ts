import { connectRedis, createNames, type Names, startRedisClock } from '@hooligram/bus';
import { openQueues, type Queues } from '@hooligram/bus/queues';
import { jobNames } from '@hooligram/contract';
import { type Db, inspectSession, openDb } from '@hooligram/db';
import { type Place, requireDatabase } from './config.ts';
import { exitCodes, Refusal } from './program.ts';

export type Redis = Awaited<ReturnType<typeof connectRedis>>;

export const quiet = { info() {}, warn() {}, error() {} };
const statementTimeoutMs = 30_000;

/** Lends a connection to Redis. @throws Refusal */
export async function withRedis<T>(
  { redisUrl, caFile, prefix }: Place,
  use: (redis: Redis, names: Names) => Promise<T>,
): Promise<T> {
  const redis = await connectRedis(redisUrl, {
    role: 'command',
    name: 'hooligram',
    log: quiet,
    caFile,
  }).catch((error: Error) => {
    throw new Refusal(error.message, exitCodes.unreachable);
  });
  redis.on('error', () => {});
  try {
    return await use(redis, createNames(prefix));
  } finally {
    redis.disconnect();
  }
}

/** Lends the queues of the jobs. */
export function withQueues<T>(
  place: Place,
  use: (queues: Queues, redis: Redis, names: Names) => Promise<T>,
): Promise<T> {
  return withRedis(place, async (redis, names) => {
    const clock = await startRedisClock(redis);
    const options = { redis, prefix: names.queues, names: jobNames, now: clock.now, log: quiet };
    const queues = openQueues(options);
    try {
      return await use(queues, redis, names);
    } finally {
      await queues.close();
      clock.close();
    }
  });
}

/** Lends a pool of connections to the database. @throws Refusal, ConfigError */
export async function withDatabase<T>(place: Place, use: (db: Db) => Promise<T>): Promise<T> {
  const url = requireDatabase(place);
  const session = await inspectSession({ url, statementTimeoutMs }).catch((error: Error) => {
    throw new Refusal(`the database does not answer: ${error.message} (DATABASE_URL)`, exitCodes.unreachable);
  });
  if (session.problem) throw new Refusal(session.problem);
  const db = openDb({ url, poolSize: 2, statementTimeoutMs, applicationName: 'hooligram', session });
  try {
    return await use(db);
  } finally {
    await db.close();
  }
}

import { isEpoch, type Names } from '@hooligram/bus';
import type { Db, History } from '@hooligram/db';
import type { Metrics } from '@hooligram/service';
import type { Context } from './context.ts';

const everyMs = 1_000;

/**
 * Watches in which epoch the database is, and keeps in Redis how much of it the cores have seen: so that a core which
 * was not there notices a copy from earlier, and that gateways which were not there notice a new epoch. Redis is a
 * hint here, too: without it, what the database says about itself is enough for everything but a copy of its files.
 *
 * Asked each second, because behind a pooler the server may change and the connections stay.
 */
export function startEpochWatch(context: Context): { stop(): void } {
  const { db, redis } = context;
  let isLooking = false;

  async function look(): Promise<void> {
    const isConnected = () => redis.status === 'ready';
    const remembered = isConnected() ? await readRemembered(redis, context.names) : undefined;
    if (remembered) db.epoch.remember(remembered);
    await db.epoch.check(db.pool);
    if (isConnected()) await tell(context);
  }

  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    // Whatever fails here fails for requests too, and is told of there.
    look()
      .catch(() => {})
      .finally(() => {
        isLooking = false;
      });
  }, everyMs);
  return { stop: () => clearInterval(timer) };
}

export function observeEpoch(metrics: Metrics, { epoch }: Db): void {
  const { observed } = metrics;
  observed('core_database_epoch', 'Grows when the database came back older', () => epoch.current);
  observed(
    'core_database_wal_bytes',
    'How long the write-ahead log of the database is, as far as this core has seen',
    () => epoch.seen?.wal ?? 0,
  );
}

/** A new epoch has begun: who is behind looks at once. */
export function announceEpoch(context: Context): void {
  tell(context).then(
    () => context.publisher.publish(context.names.gateways, 'epoch'),
    // The watch tells it again, and gateways look from time to time.
    () => {},
  );
}

/** @returns what the cores have seen of the database; undefined if Redis knows nothing of it */
export async function readRemembered(
  redis: Context['redis'],
  names: Pick<Names, 'databaseEpoch'>,
): Promise<History | undefined> {
  const fields = await redis.hgetall(names.databaseEpoch);
  const history: History = {
    epoch: Number(fields.epoch),
    identity: fields.history ?? '',
    wal: fields.wal ? Number(fields.wal) : null,
  };
  return isEpoch(history.epoch) && history.identity !== '' ? history : undefined;
}

async function tell({ db, redis, names }: Context): Promise<void> {
  const { seen } = db.epoch;
  if (!seen) return;
  const { epoch, identity, wal } = seen;
  await redis.hset(names.databaseEpoch, { epoch, history: identity, wal: wal ?? '' });
}

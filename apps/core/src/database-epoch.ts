import { type BusPublisher, type Channels, isEpoch, type Keys } from '@hooligram/bus';
import type { Db, History } from '@hooligram/db';
import { type Metrics, type Probe, startProbe } from '@hooligram/service';
import type { Redis } from 'ioredis';
import { createDatabaseGauges } from './metrics.ts';
import type { Shards } from './shards/shards.ts';

type Stores = {
  readonly db: Db;
  readonly shards: Pick<Shards, 'all' | 'onEach'>;
  readonly names: Pick<Channels, 'gateways'>;
};

/** What each Redis has, as it was read last. */
type Noted = Map<Redis, History | undefined>;

/**
 * Watches in which epoch the database is, and keeps in Redis how much of it the cores have seen: a core that starts
 * later notices an older copy of the database, and gateways that were away notice a new epoch. Redis is only a hint
 * here, too: without it, what the database says about itself is enough for everything but a copy of its files.
 *
 * Checks each second, because behind a pooler the server may change while the connections stay.
 */
export function startEpochWatch(stores: Stores): Probe {
  const { db, shards } = stores;
  const isConnected = () => shards.all().some(({ redis }) => redis.command.status === 'ready');
  // A check that fails fails for requests too, and is logged there.
  return startProbe({
    async ask() {
      const noted: Noted = new Map();
      const remembered = isConnected() ? await readRemembered(shards, noted) : undefined;
      if (remembered) db.epoch.remember(remembered);
      await db.epoch.check(db.pool);
      if (isConnected()) await writeSeen(stores, noted);
      return true as const;
    },
  });
}

export function observeDatabase(metrics: Metrics, { epoch, pool }: Db): void {
  const gauges = createDatabaseGauges(metrics);
  gauges.epoch.read(() => epoch.current);
  gauges.walBytes.read(() => epoch.seen?.wal ?? 0);
  gauges.connections.read(() => pool.totalCount);
  gauges.connectionsIdle.read(() => pool.idleCount);
  gauges.statementsWaiting.read(() => pool.waitingCount);
}

/** Notifies the gateways that a new epoch may have begun: a gateway that is in an older one looks at once. */
export function announceEpoch(stores: Stores, publisher: BusPublisher): void {
  writeSeen(stores).then(
    () => publisher.announce(stores.names.gateways, 'epoch'),
    // The watch writes it again, and gateways look from time to time.
    () => {},
  );
}

/**
 * @param noted gets what each Redis has
 * @returns what the cores have seen of the database, at the latest; undefined if no Redis knows anything of it
 */
export async function readRemembered(
  shards: Stores['shards'],
  noted: Noted = new Map(),
): Promise<History | undefined> {
  const found = await shards.onEach(async (redis, names) => {
    const history = await readOne(redis, names);
    noted.set(redis, history);
    return history;
  });
  return found
    .filter((history) => history !== undefined)
    .sort((one, other) => other.epoch - one.epoch || (other.wal ?? 0) - (one.wal ?? 0))[0];
}

async function readOne(redis: Redis, names: Pick<Keys, 'databaseEpoch'>): Promise<History | undefined> {
  const fields = await redis.hgetall(names.databaseEpoch);
  const history: History = {
    epoch: Number(fields.epoch),
    identity: fields.history ?? '',
    wal: fields.wal ? Number(fields.wal) : null,
  };
  return isEpoch(history.epoch) && history.identity !== '' ? history : undefined;
}

/** @param noted what need not be written again */
async function writeSeen(
  { db, shards }: Pick<Stores, 'db' | 'shards'>,
  noted: Noted = new Map(),
): Promise<void> {
  const { seen } = db.epoch;
  if (!seen) return;
  const { epoch, identity, wal } = seen;
  await shards.onEach(async (redis, names) => {
    const known = noted.get(redis);
    if (known?.epoch === epoch && known.identity === identity && known.wal === wal) return;
    await redis.hset(names.databaseEpoch, { epoch, history: identity, wal: wal ?? '' });
  });
}

import { Placement } from '@hooligram/bus';
import { ownSentinel, redisUrl, type SentinelSet, startSystem, type TestSystem } from '@hooligram/testkit';
import { afterAll, beforeAll, test } from '@jest/globals';
import { type Database, openDatabase } from './database.ts';
import { sendThrough } from './sends-through.ts';

const placement = new Placement(2);

let stores: SentinelSet;
let system: TestSystem;
let database: Database;

beforeAll(async () => {
  stores = await ownSentinel({ overTls: true });
  const REDIS_URL = `${await redisUrl()},${stores.url}`;
  system = await startSystem({
    ...{ gateways: 2, cores: 1, env: { REDIS_URL, REDIS_CA_FILE: stores.caFile } },
    gatewayEnv: { REQUEST_PATIENCE_MS: '200000' },
  });
  database = openDatabase(system.databaseUrl);
});

afterAll(async () => {
  await database?.close();
  await system?.stop();
  await stores?.stop();
});

/** Lives where the failover is, not on the Redis beside it. */
const isOfSentinels = (id: number) => placement.of(id) === 1;

test.each([
  ['a Sentinel makes the replica the primary', () => stores.failOver()],
  ['the primary dies', () => stores.killPrimary()],
])(
  'when %s of one of two Redis, every process finds the new one over TLS, and what was answered is all that is stored, and arrives once, in order',
  async (_, happens) => {
    // Without a replica nobody could take over.
    await stores.whole();
    await sendThrough(system, database, happens, isOfSentinels);
  },
);

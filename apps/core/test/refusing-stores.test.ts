import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, openDb } from '@hooligram/db';
import { type Store, startPostgres, startRedis } from '@hooligram/local';
import {
  connect,
  freePorts,
  getOnce,
  metrics,
  patienceMs,
  startSystem,
  type TestSystem,
  uniqueSid,
} from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createGroup, receiveMessage, type SignedInClient, sendMessage, until } from './fixture.ts';

const readOnly = 'default_transaction_read_only';

let dir: string;
/** Two of them: a failover leads to the second one. */
let redises: Store[];
let postgres: Store;
/** The address of Redis, which leads to another server after a failover. */
let proxy: FaultyTcpProxy;
let system: TestSystem;
let open: SignedInClient[] = [];

const startRedisAt = (name: string, port: number) =>
  startRedis({ dataDir: join(dir, name), logDir: dir, port, restart: false });

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hooligram-refusing-'));
  const [one = 0, two = 0, three = 0] = await freePorts(3);
  [postgres, ...redises] = await Promise.all([
    startPostgres({ dataDir: dir, logDir: dir, port: three, restart: false, durable: false }),
    startRedisAt('one', one),
    startRedisAt('two', two),
  ]);
  await migrate({ url: postgres.url });
  proxy = await FaultyTcpProxy.start(`redis://127.0.0.1:${one}`);
  const env = {
    REDIS_URL: proxy.urlOf(`redis://127.0.0.1:${one}`),
    DATABASE_URL: postgres.url,
    DELIVERY_ACK_DEADLINE_MS: '1000',
  };
  system = await startSystem({ gateways: 1, cores: 1, env });
});

afterEach(() => {
  for (const { client } of open) client.terminate();
  open = [];
});

afterAll(async () => {
  await system?.stop();
  await proxy?.stop();
  await Promise.all([...(redises ?? []), postgres].map((store) => store?.stop()));
  rmSync(dir, { recursive: true, force: true });
});

async function enter(): Promise<SignedInClient> {
  const client = await connect(system.gateway(0).url);
  const sid = uniqueSid();
  await client.signIn(sid);
  const person = { sid, client };
  open.push(person);
  return person;
}

/** Ada and Bob, with a group of theirs. */
async function pair() {
  const [ada, bob] = [await enter(), await enter()];
  const group_id = await createGroup(ada, [bob.sid]);
  const send = (content: string) => ada.client.request('MESSAGING_SEND', { group_id, content });
  return { ada, bob, group_id, send };
}

async function onRedis(command: (client: Redis) => Promise<unknown>, { url } = redises[0] as Store) {
  const client = new Redis(url);
  try {
    return await command(client);
  } finally {
    client.disconnect();
  }
}

async function onPostgres(...statements: string[]): Promise<void> {
  const db = openDb({ url: postgres.url, poolSize: 1, applicationName: 'refusing-stores-test' });
  try {
    for (const statement of statements) await db.pool.query(statement);
  } finally {
    await db.close();
  }
}

/** A process that was started, and is not ready yet. */
async function begun<T>(
  list: readonly T[],
  begin: () => Promise<T>,
): Promise<{ process: T; ready: Promise<T> }> {
  const before = list.length;
  const ready = begin();
  // Some never are.
  ready.catch(() => {});
  while (list.length === before) await new Promise(setImmediate);
  return { process: list.at(-1) as T, ready };
}

type Process = { readonly adminUrl: string; readonly name: string };

/** The failing checks of /readyz. */
async function failing({ adminUrl }: Process): Promise<Record<string, string>> {
  const answer = await getOnce(new URL('/readyz', adminUrl));
  const { checks } = (await answer.json()) as { checks: Record<string, string> };
  return Object.fromEntries(Object.entries(checks).filter(([, said]) => said !== 'ok'));
}

/** Waits until a check says this; '' waits until all are passed. */
async function untilSays(process: Process, text: string): Promise<void> {
  const givesUpAt = Date.now() + patienceMs;
  for (;;) {
    const said = await failing(process).catch((error: Error) => ({ admin: error.message }));
    const isIt = text === '' ? Object.keys(said).length === 0 : Object.values(said).join().includes(text);
    if (isIt) return;
    if (Date.now() > givesUpAt) throw new Error(`${process.name} says ${JSON.stringify(said)}, not ${text}`);
  }
}

const [gateway, core] = [() => system.gateway(0), () => system.core(0)];

describe('while Redis refuses writes, and answers', () => {
  const dump = () => join(dir, 'one/redis/dump.rdb');

  test.each([
    [
      'because it is full',
      'Redis is full',
      () => onRedis((redis) => redis.config('SET', 'maxmemory', '1mb')),
      () => onRedis((redis) => redis.config('SET', 'maxmemory', '0')),
    ],
    [
      'because it cannot save its data',
      'Redis cannot save its data',
      async () => {
        mkdirSync(dump());
        await onRedis((redis) => redis.config('SET', 'save', '3600 1000000'));
        await onRedis(saveInVain);
      },
      async () => {
        rmdirSync(dump());
        await onRedis((redis) => redis.config('SET', 'save', ''));
      },
    ],
    [
      'because it was made a replica',
      'Redis is a read-only replica',
      () => onRedis((redis) => redis.replicaof('127.0.0.1', 1)),
      () => onRedis((redis) => redis.replicaof('NO', 'ONE')),
    ],
  ])(
    '%s, no process is ready, each request gets its FAILURE at once, and all goes on after it',
    async (_, reason, breakIt, mend) => {
      const { ada, bob, group_id, send } = await pair();
      await breakIt();
      try {
        await Promise.all([untilSays(gateway(), reason), untilSays(core(), reason)]);
        const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => send(`in vain ${index}`)));
        for (const { type, payload } of answers) {
          expect([type, payload.errors]).toEqual(['MESSAGING_SEND_FAILURE', ['server busy']]);
        }
        await until('the metric says it too', async () => {
          return (await metrics(gateway().adminUrl)).value('hooligram_ready', { check: 'bus' }) === 0;
        });
      } finally {
        await mend();
      }
      await untilSays(gateway(), '');
      await receiveMessage(bob, await sendMessage(ada, group_id, 'afterwards'));
      expect(await countedFailures()).toBe(0);
    },
  );

  test('after a failover that the address follows, old connections end by themselves', async () => {
    const { bob, send } = await pair();
    const [one, two] = redises as [Store, Store];
    const portOf = ({ url }: Store) => Number(new URL(url).port);
    await onRedis((redis) => redis.replicaof('127.0.0.1', portOf(one)), two);
    await onRedis((redis) => inSync(redis), two);
    await onRedis((redis) => redis.replicaof('NO', 'ONE'), two);
    await onRedis((redis) => redis.replicaof('127.0.0.1', portOf(two)), one);
    proxy.open(`redis://127.0.0.1:${portOf(two)}`);
    for (;;) {
      const { type, payload } = await send('on the other side');
      if (type === 'MESSAGING_SEND_SUCCESS') {
        await receiveMessage(bob, payload.message_id as number);
        break;
      }
      expect(payload.errors).toEqual(['server busy']);
    }
    const left = () => onRedis((redis) => redis.client('LIST', 'TYPE', 'PUBSUB'), one);
    await until('nobody listens to the old one', async () => (await left()) === '');
  });
});

async function saveInVain(redis: Redis): Promise<void> {
  await redis.bgsave();
  while (!(await redis.info('persistence')).includes('rdb_last_bgsave_status:err')) await redis.time();
}

async function inSync(redis: Redis): Promise<void> {
  while (!(await redis.info('replication')).includes('master_link_status:up')) await redis.time();
}

/** Requests that became dead letters, or got a final FAILURE, because of an outage of a store. */
async function countedFailures(): Promise<number> {
  const { value } = await metrics(core().adminUrl);
  return (
    value('hooligram_core_request_dead_letters_total') +
    value('hooligram_core_requests_total', { outcome: 'failure' })
  );
}

describe('while Postgres answers and cannot do the work', () => {
  test.each([
    [
      'because it is read-only',
      'the database is read-only',
      [`ALTER SYSTEM SET ${readOnly} = on`, 'SELECT pg_reload_conf()'],
      [`SET ${readOnly} = off`, `ALTER SYSTEM RESET ${readOnly}`, 'SELECT pg_reload_conf()'],
    ],
    [
      'because a migration of this release is not there',
      'the database lacks migrations of this release: 20261125190000_initial',
      [
        `UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name LIKE '%_initial'`,
        'ALTER TABLE request RENAME TO request_later',
      ],
      [
        'ALTER TABLE request_later RENAME TO request',
        `UPDATE _prisma_migrations SET rolled_back_at = NULL WHERE migration_name LIKE '%_initial'`,
      ],
    ],
  ])('%s, no core is ready, and requests are handled when it can again', async (_, reason, breakIt, mend) => {
    const { bob, send } = await pair();
    await onPostgres(...breakIt);
    const said = send('meanwhile');
    try {
      await untilSays(core(), reason);
      expect(await failing(gateway())).toEqual({});
    } finally {
      await onPostgres(...mend);
    }
    const { type, payload } = await said;
    expect(type).toBe('MESSAGING_SEND_SUCCESS');
    await receiveMessage(bob, payload.message_id as number);
    await untilSays(core(), '');
    expect(await countedFailures()).toBe(0);
  });
});

describe('a start', () => {
  test('waits for stores that are away and for migrations, and logs it once', async () => {
    const [port = 0] = await freePorts(1);
    const empty = new URL(postgres.url);
    empty.pathname = '/later';
    const REDIS_URL = `redis://127.0.0.1:${port}`;
    const { process: newCore, ready: coreReady } = await begun(system.cores, () =>
      system.addCore({ REDIS_URL, DATABASE_URL: empty.href }),
    );
    const { process: newGateway, ready: gatewayReady } = await begun(system.gateways, () =>
      system.addGateway({ REDIS_URL }),
    );
    await untilSays(newCore, 'database "later" does not exist');
    await onPostgres('CREATE DATABASE later');
    await untilSays(newCore, 'the database has no migrations');
    await migrate({ url: empty.href });
    await untilSays(newCore, 'not connected');
    await untilSays(newGateway, 'not connected');
    const late = await startRedisAt('late', port);
    redises.push(late);
    await Promise.all([coreReady, gatewayReady]);
    expect(newGateway.log().match(/waiting for Redis/g)).toHaveLength(1);
    expect(newCore.log().match(/waiting for Redis/g)).toHaveLength(1);
    const waits = newCore
      .log()
      .split('\n')
      .filter((line) => line.includes('"part":"database","reason"'));
    expect(waits.filter((line) => !line.includes('"repeated"'))).toHaveLength(1);
    await Promise.all([newCore.end(), newGateway.end()]);
  });
});

describe('a Redis user', () => {
  async function as(name: string, ...rules: string[]): Promise<NodeJS.ProcessEnv> {
    const late = redises.at(-1) as Store;
    await onRedis((redis) => redis.acl('SETUSER', name, 'on', '>pw', '~*', '&*', '+@all', ...rules), late);
    const url = new URL(late.url);
    url.username = name;
    url.password = 'pw';
    return { REDIS_URL: url.href };
  }

  test('without INFO, CONFIG and CLIENT is enough', async () => {
    const env = await as('modest', '-info', '-config', '-client', '-acl');
    const [ownCore, ownGateway] = await Promise.all([system.addCore(env), system.addGateway(env)]);
    const client = await connect(ownGateway.url);
    await client.signIn(uniqueSid());
    client.terminate();
    await untilSays(ownCore, '');
    await Promise.all([ownCore.end(), ownGateway.end()]);
  });

  test.each([
    ['gateway', ['-xadd'], '(XADD)'],
    ['gateway', ['resetchannels'], 'one of the channels'],
    ['core', ['-xreadgroup'], "'xreadgroup'"],
    ['core', ['-bzpopmin'], "'bzpopmin'"],
  ] as const)(
    'of a %s that may not %s is named in a line of the log, and the process waits',
    async (app, rules, name) => {
      const env = await as(`no${rules[0]}`, ...rules);
      const { process } =
        app === 'gateway'
          ? await begun(system.gateways, () => system.addGateway(env))
          : await begun(system.cores, () => system.addCore(env));
      await untilSays(process, name);
      await process.end();
      const lines = process.log().split('\n');
      expect(lines.filter((line) => line.includes('lacks a right')).length).toBeGreaterThanOrEqual(1);
      const failures = lines.filter((line) => line.includes('fails and is tried again'));
      expect(failures.filter((line) => !line.includes('"repeated"'))).toHaveLength(1);
    },
  );
});

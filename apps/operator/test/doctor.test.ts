import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRedis } from '@hooligram/bus';
import { onPostgres, type Store, startRedis } from '@hooligram/local';
import {
  dropDatabase,
  emptyDatabase,
  freePorts,
  freshDatabase,
  freshPrefix,
  patienceMs,
  startSystem,
} from '@hooligram/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type PgBouncer, startPgBouncer } from '../../../packages/db/test/pgbouncer.ts';
import { findPlace } from '../src/config.ts';
import { examineConfiguration } from '../src/doctor/configuration.ts';
import { examinePostgres } from '../src/doctor/database.ts';
import type { Finding } from '../src/doctor/finding.ts';
import { examineNodes } from '../src/doctor/nodes.ts';
import { examineRedis } from '../src/doctor/redis.ts';
import { examineStandby } from '../src/doctor/replica.ts';
import { readRoleConfig, roles } from '../src/role-config.ts';
import { quiet, type Redis } from '../src/stores/redis.ts';
import { envOf, hooligram } from './hooligram.ts';

const creditBytes = 8 * 1_024 * 1_024;
const wanted = { statementTimeoutMs: 4_000, poolSize: 8 };
/** The stores of a test run do not write to disk before they answer. */
const ofTests = 'postgres.durability';

let dir: string;
let store: Store;
let redis: Redis;
let databaseUrl: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hooligram-doctor-'));
  const [port = 0] = await freePorts(1);
  [store, databaseUrl] = await Promise.all([
    startRedis({ dataDir: dir, logDir: dir, port, restart: false }),
    freshDatabase(),
  ]);
  redis = await connectRedis(store.url, { role: 'command', name: 'doctor-test', log: quiet });
});
afterAll(async () => {
  redis?.disconnect();
  await store?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const prefix = freshPrefix();

function placeOf(env: NodeJS.ProcessEnv = {}) {
  return findPlace('nowhere', {
    REDIS_URL: store.url,
    REDIS_PREFIX: prefix,
    DATABASE_URL: databaseUrl,
    ...env,
  });
}

/** What is to be mended, by name, with its text; each has a cure. */
function wrong(findings: readonly Finding[]): (readonly [string, string])[] {
  const bad = findings.filter(
    ({ name, verdict }) => verdict !== 'ok' && verdict !== 'unknown' && name !== ofTests,
  );
  for (const { cure } of bad) expect(cure).toMatch(/\w/);
  return bad.map(({ name, text }) => [name, text]);
}

const redisWith = async (env: NodeJS.ProcessEnv = {}) => wrong(await examineRedis(placeOf(env), creditBytes));
const postgresWith = async (url: string) =>
  wrong(await examinePostgres(placeOf({ DATABASE_URL: url }), wanted));
const onDatabase = (url: string, sql: string) => onPostgres(url, (client) => client.query(sql), patienceMs);

/** A setting of Redis, for as long as a test looks. */
async function setting<T>(name: string, value: string, look: () => Promise<T>): Promise<T> {
  const [, before = ''] = (await redis.config('GET', name)) as string[];
  await redis.config('SET', name, value);
  try {
    return await look();
  } finally {
    await redis.config('SET', name, before);
  }
}

async function configurationOf(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const place = placeOf({ CREDENTIAL_KEY: 'a-key-for-tests-that-protects-nothing', ...env });
  return examineConfiguration(place, await Promise.all(roles.map((role) => readRoleConfig(role, place))));
}

test('nothing is wrong with stores that are as they should be', async () => {
  expect(await redisWith()).toEqual([]);
  expect(await postgresWith(databaseUrl)).toEqual([]);
  expect(wrong(await configurationOf({}))).toEqual([]);
});

describe('a broken configuration is named:', () => {
  test('a variable that is misspelt, one that nobody reads, and a value that is none', async () => {
    const found = await configurationOf({ GATEWAY_PROT: '8080', CORE_SPEED: '3', DRAIN_SECONDS: 'long' });
    expect(wrong(found)).toEqual([
      ['configuration.value', expect.stringMatching(/DRAIN_SECONDS must be an integer .*, not "long"/)],
      ['configuration.unknown', 'nothing reads the variable CORE_SPEED (see --help)'],
      ['configuration.unknown', 'nothing reads the variable GATEWAY_PROT: did you mean GATEWAY_PORT?'],
    ]);
  });

  test('a variable that is required', async () => {
    expect(wrong(await configurationOf({ CREDENTIAL_KEY: '' }))).toEqual([
      ['configuration.value', expect.stringContaining('CREDENTIAL_KEY is required')],
    ]);
  });
});

describe('a broken Redis is named:', () => {
  test('one that is away', async () => {
    expect(await redisWith({ REDIS_URL: 'redis://127.0.0.1:1' })).toEqual([
      ['redis.reachable', expect.stringContaining('ECONNREFUSED')],
    ]);
  });

  test('one that evicts', async () => {
    expect(await setting('maxmemory-policy', 'allkeys-lru', redisWith)).toEqual([
      ['redis.eviction', expect.stringContaining('allkeys-lru')],
    ]);
  });

  test('one that is full', async () => {
    const found = await setting('maxmemory', '1mb', redisWith);
    expect(found).toEqual([
      ['redis.memory', expect.stringContaining('it is full')],
      ['redis.write-path', expect.stringContaining('Redis is full')],
    ]);
  });

  test('one that cuts off a gateway with much to read', async () => {
    const limit = 'pubsub 8388608 2097152 60';
    expect(await setting('client-output-buffer-limit', limit, redisWith)).toEqual([
      ['redis.output-limit', expect.stringContaining('8388608')],
    ]);
  });

  test('a replica', async () => {
    await redis.replicaof('127.0.0.1', 1);
    const found = await redisWith().finally(() => redis.replicaof('NO', 'ONE'));
    expect(found).toEqual([['redis.role', expect.stringContaining('leads to a replica of 127.0.0.1:1')]]);
  });

  test('one whose user lacks rights: commands, keys, and channels', async () => {
    const withRights = async (...rules: string[]) => {
      await redis.acl('SETUSER', 'limited', 'reset', 'on', '>pw', ...rules);
      const url = new URL(store.url);
      url.username = 'limited';
      url.password = 'pw';
      return (await redisWith({ REDIS_URL: url.href })).map(([name, text]) => [
        name,
        text.replace(/:.*$/s, ''),
      ]);
    };
    const all = ['+@all', '-info', '-config', '-client'];
    const keys = `~${prefix}:*`;
    const channels = `&${prefix}:*`;
    expect(await withRights(...all, keys, channels)).toEqual([]);
    expect(await withRights(...all, keys, channels, '-eval', '-publish')).toEqual([
      ['redis.rights', 'scripts'],
      ['redis.rights', 'publishing'],
    ]);
    expect(await withRights(...all, `~${prefix}:{requests}*`, channels)).toEqual([
      ['redis.rights', 'keys of the queues'],
      ['redis.rights', 'keys of the prefix'],
    ]);
    expect(await withRights(...all, keys, `&${prefix}:group:*`)).toEqual([['redis.rights', 'subscribing']]);
  });
});

describe('a broken Postgres is named:', () => {
  let bouncer: PgBouncer | undefined;
  afterAll(() => bouncer?.stop());

  test('one that is away, and one without the database', async () => {
    expect(await postgresWith('postgresql://x:y@127.0.0.1:1/z')).toEqual([
      ['postgres.reachable', expect.stringContaining('ECONNREFUSED')],
    ]);
    const url = new URL(databaseUrl);
    url.pathname = '/no_such_database';
    expect(await postgresWith(url.href)).toEqual([
      ['postgres.reachable', expect.stringContaining('"no_such_database" does not exist')],
    ]);
  });

  test('one without migrations, without a function, and one that takes no writes', async () => {
    const empty = await emptyDatabase();
    expect(await postgresWith(empty)).toEqual([
      ['postgres.session', expect.stringContaining('the database has no migrations')],
    ]);
    await dropDatabase(empty);
    const broken = await freshDatabase();
    await onDatabase(broken, 'DROP FUNCTION skip_ids');
    expect(await postgresWith(broken)).toEqual([
      ['postgres.session', expect.stringMatching(/lacks SQL functions of this release: skip_ids/)],
    ]);
    await onDatabase(
      broken,
      `ALTER DATABASE ${new URL(broken).pathname.slice(1)} SET default_transaction_read_only = on`,
    );
    expect(await postgresWith(broken)).toEqual([['postgres.session', 'the database is read-only']]);
    await dropDatabase(broken);
  });

  test('one whose role lacks rights', async () => {
    const role = `doctor_${freshPrefix().replaceAll(/\W/g, '_')}`;
    await onDatabase(
      databaseUrl,
      `CREATE ROLE ${role} LOGIN PASSWORD 'pw';
       GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role};
       GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role};
       REVOKE DELETE ON group_member FROM ${role}; REVOKE USAGE ON SEQUENCE message_id_seq FROM ${role}`,
    );
    const url = new URL(databaseUrl);
    url.username = role;
    url.password = 'pw';
    expect(await postgresWith(url.href)).toEqual([
      ['postgres.rights', expect.stringMatching(/: DELETE on group_member, USAGE on message_id_seq$/)],
    ]);
  });

  test('one behind a pooler that drops the settings of a session', async () => {
    bouncer = await startPgBouncer(databaseUrl);
    expect(await postgresWith(bouncer.transaction)).toEqual([
      ['postgres.session', expect.stringMatching(/the pooler is in transaction mode.*ALTER ROLE/)],
    ]);
    expect(await postgresWith(bouncer.session)).toEqual([]);
  });

  test('a replica that is away, and one that is no standby', async () => {
    const replicaWith = (url: string) => examineStandby(placeOf({ DATABASE_REPLICA_URL: url }));
    expect(await replicaWith(databaseUrl)).toEqual([expect.objectContaining({ verdict: 'unknown' })]);
    await onDatabase(databaseUrl, 'SELECT FROM enter_epoch(0, NULL, NULL, false)');
    expect(wrong(await replicaWith(databaseUrl))).toEqual([
      ['postgres.replica', expect.stringContaining('it is no standby')],
    ]);
    expect(wrong(await replicaWith('postgresql://x:y@127.0.0.1:1/z'))).toEqual([
      ['postgres.replica', expect.stringContaining('ECONNREFUSED')],
    ]);
    expect(await examineStandby(placeOf())).toEqual([]);
  });

  test('one that answers before its disk has anything', async () => {
    const findings = await examinePostgres(placeOf(), wanted);
    expect(findings).toContainEqual(
      expect.objectContaining({
        name: ofTests,
        verdict: 'fault',
        text: expect.stringContaining('fsync is off'),
      }),
    );
  });
});

test('the command examines a running system, ends with 1 because of a fault, and leaves nothing behind', async () => {
  const system = await startSystem({ gateways: 1, cores: 1, env: { BUS_SIGNING_KEYS: 'k'.repeat(32) } });
  try {
    const env = {
      ...envOf(system),
      CREDENTIAL_KEY: 'a-key-for-tests-that-protects-nothing',
      BUS_SIGNING_KEYS: 'k'.repeat(32),
    };
    // On a busy machine a node answers late.
    const patientEnv = { ...env, NODE_REPLY_TIMEOUT_MS: String(patienceMs) };
    const { code, ...ran } = await hooligram(patientEnv, ['doctor', '--json']);
    const { findings } = ran.json() as { findings: Finding[] };
    expect([code, wrong(findings)]).toEqual([1, []]);
    expect(findings).toContainEqual(
      expect.objectContaining({ name: 'nodes.running', text: '2 nodes answer' }),
    );
    const names = findings.map(({ name }) => name);
    for (const name of [
      'nodes.signing',
      'redis.write-path',
      'postgres.write-path',
      'redis.clock',
      'postgres.clock',
      'machine.files',
    ]) {
      expect(names).toContain(name);
    }
    // With other keys, or none, nobody answers the command; what they write tells why.
    for (const [keys, reason] of [
      [undefined, 'nodes sign what they send, and BUS_SIGNING_KEYS is not set here'],
      ['o'.repeat(32), 'a node signs with a key that is not among BUS_SIGNING_KEYS here'],
    ]) {
      const place = findPlace('nowhere', { ...envOf(system), ...(keys ? { BUS_SIGNING_KEYS: keys } : {}) });
      const wrongs = wrong(await examineNodes(place));
      expect(wrongs.map(([name]) => name)).toEqual(['nodes.silent', 'nodes.silent', 'nodes.signing']);
      expect(wrongs[2]?.[1]).toBe(reason);
    }
    const shared = await connectRedis(system.redisUrl, { role: 'command', name: 'doctor-test', log: quiet });
    expect(await shared.keys(`${system.prefix}:*doctor*`)).toEqual([]);
    shared.disconnect();
    system.core(0).freeze();
    const { stdout } = await hooligram(env, ['doctor', '--quiet']).finally(() => system.core(0).resume());
    expect(stdout).toMatch(/FAULT +postgres.durability +fsync is off.*\n +-> ALTER SYSTEM/);
    expect(stdout).toMatch(/warning +nodes.silent +the core/);
  } finally {
    await system.stop();
  }
});

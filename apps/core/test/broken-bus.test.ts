import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Db, groupAddMember, messagingSend, migrate, openDb } from '@hooligram/db';
import { type Store, startPostgres, startRedis } from '@hooligram/local';
import {
  connect,
  freePorts,
  metrics,
  type ServiceProcess,
  startSystem,
  type TestSystem,
  uniqueSid,
} from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  contents,
  createGroup,
  receiveMessage,
  type SignedInClient,
  sendMessage,
  state,
  until,
} from './fixture.ts';

let dir: string;
let ports: number[];
let redis: Store;
let postgres: Store;
let system: TestSystem;
let db: Db;
const people: SignedInClient[] = [];

/** As the metrics of all cores say it of Postgres. */
const untilConnected = (connected: 0 | 1) =>
  until(`Postgres is ${connected ? 'there' : 'away'}`, async () => {
    const all = await Promise.all(system.cores.map(({ adminUrl }) => metrics(adminUrl)));
    return all.every(({ value }) => value('hooligram_core_database_connected') === connected);
  });

const startRedisIn = (name: string) =>
  startRedis({ dataDir: join(dir, name), logDir: dir, port: ports[0] as number, restart: false });
const startOwnPostgres = () =>
  startPostgres({ dataDir: dir, logDir: dir, port: ports[1] as number, restart: false, durable: false });

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hooligram-bus-'));
  ports = await freePorts(2);
  [redis, postgres] = await Promise.all([startRedisIn('first'), startOwnPostgres()]);
  await migrate({ url: postgres.url });
  system = await startSystem({
    gateways: 2,
    cores: 2,
    env: { REDIS_URL: redis.url, DATABASE_URL: postgres.url, DELIVERY_ACK_DEADLINE_MS: '1000' },
    // However long a busy machine takes to notice and to mend it, nobody is sent away for it.
    gatewayEnv: { REQUEST_PATIENCE_MS: '200000' },
  });
  db = openDb({ url: postgres.url, poolSize: 2, applicationName: 'test' });
});

afterEach(() => {
  if (redis.pid !== undefined) process.kill(redis.pid, 'SIGCONT');
  for (const { client } of people.splice(0)) client.terminate();
});

afterAll(async () => {
  await db?.close();
  await system?.stop();
  await Promise.all([redis?.stop(), postgres?.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

async function enter(gateway: number): Promise<SignedInClient> {
  const sid = uniqueSid();
  const client = await connect(system.gateway(gateway).url);
  await client.signIn(sid);
  const person = { sid, client };
  people.push(person);
  return person;
}

/** Sends a message, and again under the same id for as long as the answer is a FAILURE. */
async function insist({ client }: SignedInClient, group_id: number, content: string): Promise<void> {
  const id = randomUUID();
  await until(`${content} is stored`, async () => {
    const { type, payload } = await client.request('MESSAGING_SEND', { group_id, content }, id);
    if (type === 'MESSAGING_SEND_FAILURE') expect(payload.errors).toEqual(['server busy']);
    return type === 'MESSAGING_SEND_SUCCESS';
  });
}

/** As a probe sees it: no answer in time is one, too. */
function isReady(process: ServiceProcess): Promise<boolean> {
  return process.isReady().catch(() => false);
}

async function untilReady(): Promise<void> {
  const processes = [...system.gateways, ...system.cores];
  await until('all are ready', async () => !(await Promise.all(processes.map(isReady))).includes(false));
}

async function untilNoticed(processes: readonly ServiceProcess[]): Promise<void> {
  for (const process of processes) {
    await until(`${process.name} is not ready`, async () => !(await isReady(process)));
  }
}

async function storedIn(group_id: number): Promise<string[]> {
  const found = await db.pool.query<{ content: string }>(
    'SELECT content FROM message WHERE group_id = $1 ORDER BY seq',
    [group_id],
  );
  return found.rows.map(({ content }) => content);
}

/** Adds a member and stores a message without a publication: as a core that can no longer publish. */
async function addUntold(
  group_id: number,
  by: SignedInClient,
  { sid: member_sid }: SignedInClient,
): Promise<void> {
  const { id } = await db.prisma.user.findUniqueOrThrow({ where: { sid: by.sid } });
  const request = () => ({ request_id: randomUUID(), repeatable: true, group_id });
  await groupAddMember(db, { ...request(), user_id: Number(id), member_sid });
  await messagingSend(db, [{ ...request(), sender_id: Number(id), content: 'untold' }]);
}

/**
 * People talk, something breaks, and is mended. Everybody keeps their connection; all that was said before, meanwhile
 * and afterwards is stored once and arrives in one order; and whatever was committed in the break without anybody
 * being told, as by a core that could not publish any more, is found by those whom it concerns.
 */
async function survive(
  breakIt: () => Promise<void>,
  mend: () => Promise<void>,
  { canStore = true }: { canStore?: boolean } = {},
): Promise<void> {
  const [ada, bob, cat] = [await enter(0), await enter(1), await enter(1)];
  const group_id = await createGroup(ada, [bob.sid, uniqueSid()]);
  for (const person of [ada, bob]) await state(person, group_id);
  await receiveMessage(bob, await sendMessage(ada, group_id, 'before'));

  await breakIt();
  const said = ['first', 'second', 'third'].map((content) => insist(ada, group_id, content));
  const answered = insist(bob, group_id, 'an answer');
  for (const { client } of [ada, bob, cat]) await client.roundTrip();
  if (canStore) await addUntold(group_id, ada, cat);
  await mend();

  await Promise.all([...said, answered]);
  await untilReady();
  if (canStore) await state(cat, group_id);
  await insist(ada, group_id, 'afterwards');
  const listeners = canStore ? [ada, bob, cat] : [ada, bob];
  for (const { client } of listeners) {
    await client.waitFor((frames) => frames.some(({ payload }) => payload.content === 'afterwards'));
  }
  const stored = await storedIn(group_id);
  const all = [
    'before',
    'first',
    'second',
    'third',
    'an answer',
    'afterwards',
    ...(canStore ? ['untold'] : []),
  ];
  expect([...stored].sort()).toEqual(all.sort());
  expect(stored.filter((content) => /first|second|third/.test(content))).toEqual([
    'first',
    'second',
    'third',
  ]);
  for (const person of [ada, bob]) expect(contents(person, group_id)).toEqual(stored);
  if (canStore) expect(contents(cat, group_id)).toEqual(stored.slice(-contents(cat, group_id).length));
  if (canStore) expect(contents(cat, group_id)).toContain('untold');
  for (const { client } of [ada, bob, cat]) await client.roundTrip();
}

async function toRedis(command: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(redis.url);
  await command(client);
  client.disconnect();
}

describe('connections, messages and members survive', () => {
  async function killRedis(): Promise<void> {
    process.kill(redis.pid as number, 'SIGKILL');
    await redis.stop();
    await untilNoticed([...system.gateways, ...system.cores]);
  }

  test('that Redis is killed and comes back with its data', async () => {
    await survive(killRedis, async () => {
      redis = await startRedisIn('first');
    });
  });

  test('that Redis is killed and comes back without its data', async () => {
    await survive(killRedis, async () => {
      redis = await startRedisIn('second');
    });
  });

  test('that Redis is frozen: no process is ready, and all are when it goes on', async () => {
    const { pid = 0 } = redis;
    await survive(
      async () => {
        process.kill(pid, 'SIGSTOP');
        await untilNoticed([...system.gateways, ...system.cores]);
      },
      async () => {
        process.kill(pid, 'SIGCONT');
      },
    );
  });

  test('FLUSHALL', async () => {
    const flush = () => toRedis((client) => client.flushall());
    await survive(flush, flush);
  });

  test('FLUSHALL in a quiet moment, which breaks no connection: undelivered messages are found without further ones', async () => {
    const [ada, bob, cat] = [await enter(0), await enter(1), await enter(1)];
    const group_id = await createGroup(ada, [bob.sid, uniqueSid()]);
    for (const person of [ada, bob]) await state(person, group_id);
    await receiveMessage(bob, await sendMessage(ada, group_id, 'before'));
    await addUntold(group_id, ada, cat);
    await toRedis((client) => client.flushall());
    await state(cat, group_id);
    for (const { client } of [ada, bob, cat]) {
      await client.waitFor((frames) => frames.some(({ payload }) => payload.content === 'untold'));
    }
  });

  test('FLUSHALL in the middle of requests, each of which is answered with SUCCESS and done once, in order', async () => {
    const [ada, bob] = [await enter(0), await enter(1)];
    const group_id = await createGroup(ada, [bob.sid]);
    for (const person of [ada, bob]) await state(person, group_id);
    const all = Array.from({ length: 300 }, (_, index) => `message ${index}`);
    const said = all.map((content) => insist(ada, group_id, content));
    for (const seen of [1, 60, 120, 180, 240]) {
      await bob.client.waitFor(() => contents(bob, group_id).length >= seen);
      await toRedis((client) => client.flushall());
    }
    await Promise.all(said);
    await bob.client.waitFor(() => contents(bob, group_id).length >= all.length);
    expect(await storedIn(group_id)).toEqual(all);
    for (const person of [ada, bob]) expect(contents(person, group_id)).toEqual(all);
  });

  test('that all subscriptions are killed, again and again', async () => {
    const kill = () => toRedis((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    await survive(kill, async () => {
      for (let times = 0; times < 5; times += 1) await kill();
    });
  });

  test('that all connections to Redis are killed', async () => {
    const kill = () => toRedis((client) => client.call('CLIENT', 'KILL', 'TYPE', 'normal'));
    await survive(kill, kill);
  });

  test('that Postgres restarts: only cores are not ready meanwhile', async () => {
    await survive(
      async () => {
        await postgres.stop();
        await untilNoticed(system.cores);
        for (const gateway of system.gateways) await until('it is ready', () => isReady(gateway));
        await untilConnected(0);
      },
      async () => {
        postgres = await startOwnPostgres();
      },
      { canStore: false },
    );
    await untilConnected(1);
    for (const core of system.cores) {
      const { value } = await metrics(core.adminUrl);
      expect(value('hooligram_core_database_reconnects_total')).toBeGreaterThan(0);
      await until('the restart is counted', async () => {
        return (await metrics(core.adminUrl)).value('hooligram_core_database_restarts_total') > 0;
      });
    }
  });
});

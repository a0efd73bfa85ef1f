import { connectRedis, Placement } from '@hooligram/bus';
import {
  connect,
  getOnce,
  metrics,
  type OwnRedis,
  ownRedis,
  silentLog,
  startSystem,
  type TestClient,
  type TestSystem,
  uniqueSid,
  until,
} from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const placement = new Placement(2);

let redises: readonly OwnRedis[];
let system: TestSystem;
/** On two gateways, in turn. */
let clients: readonly TestClient[];
/** One on each Redis, of all of them. */
let groups: readonly number[];

beforeAll(async () => {
  redises = await Promise.all([ownRedis(), ownRedis()]);
  system = await startSystem({
    gateways: 2,
    cores: 1,
    env: { REDIS_URL: redises.map(({ url }) => url).join() },
    // However long a Redis takes to be back on a busy machine, nobody is sent away for it.
    gatewayEnv: { REQUEST_PATIENCE_MS: '200000' },
  });
  const sids = Array.from({ length: 5 }, uniqueSid);
  clients = await Promise.all(
    sids.map(async (sid, index) => {
      const client = await connect(system.gateway(index % 2).url);
      await client.signIn(sid);
      return client;
    }),
  );
  const byShard = new Map<number, number>();
  while (byShard.size < 2) {
    const made = await (clients[0] as TestClient).requestOk('GROUP_CREATE', {
      group_name: 'all of us',
      member_sids: sids,
    });
    const { group_id = 0 } = made.payload;
    byShard.set(placement.of(group_id), group_id);
  }
  groups = [...byShard.values()];
});

afterAll(async () => {
  await system?.stop();
  await Promise.all(redises.map((redis) => redis.stop()));
});

/** Each user sends to each group. @returns the answers */
function sendAll(text: string) {
  return Promise.all(
    clients.flatMap((client, from) =>
      groups.map((group_id) =>
        client.request('MESSAGING_SEND', { group_id, content: `${text} of ${from} to ${group_id}` }),
      ),
    ),
  );
}

/** Resolves when everybody was sent all of that, of everybody. */
async function receivedAll(text: string): Promise<void> {
  const expected = clients.flatMap((_, from) => groups.map((id) => `${text} of ${from} to ${id}`));
  await Promise.all(
    clients.map((client) =>
      client.waitFor(() => {
        const contents = client.received('MESSAGING_DELIVER_REQUEST').map(({ payload }) => payload.content);
        return expected.every((content) => contents.includes(content));
      }, `all of ${text}`),
    ),
  );
}

test('with two Redis messages go from everybody to everybody', async () => {
  const answers = await sendAll('first');
  expect(new Set(answers.map(({ type }) => type))).toEqual(new Set(['MESSAGING_SEND_SUCCESS']));
  await receivedAll('first');
});

test('what is sent while one of them is killed is stored once, answered and delivered, and nobody is disconnected', async () => {
  const second = redises[1] as OwnRedis;
  await second.kill();
  const sending = sendAll('second');
  // Others do not wait for it.
  const isAnswered = (client: TestClient) => client.received('MESSAGING_SEND_SUCCESS').length > groups.length;
  await Promise.race(clients.map((client) => client.waitFor(() => isAnswered(client), 'an answer')));
  await second.start();
  const answers = await sending;
  expect(new Set(answers.map(({ type }) => type))).toEqual(new Set(['MESSAGING_SEND_SUCCESS']));
  await receivedAll('second');
  for (const client of clients) {
    const ids = new Set<number | undefined>();
    for (const { payload } of client.received('MESSAGING_DELIVER_REQUEST')) ids.add(payload.message_id);
    expect(ids.size).toBe(2 * clients.length * groups.length);
  }
  await sendAll('third');
  await receivedAll('third');
});

test('gateways and cores say how many Redis work, also while enough do', async () => {
  const second = redises[1] as OwnRedis;
  const nodes = [system.gateway(0), system.gateway(1), system.core(0)];
  /** Of each process: its status, the beginning of its remark, and its gauge. */
  const seen = () =>
    Promise.all(
      nodes.map(async ({ adminUrl }) => {
        const answer = await getOnce(new URL('/readyz', adminUrl));
        const { remarks } = (await answer.json()) as { remarks?: Record<string, string> };
        const { value } = await metrics(adminUrl);
        return `${answer.status} ${remarks?.bus?.slice(0, 15)} ${value('hooligram_redis_working')}`;
      }),
    );
  const untilAll = (expected: string) =>
    until(expected, async () => (await seen()).every((one) => one === expected));
  await untilAll('200 undefined 2');
  await second.kill();
  try {
    await untilAll('200 1 of 2 Redis wo 1');
  } finally {
    await second.start();
  }
  await untilAll('200 undefined 2');
});

test('gateways and cores say which Redis refuses what they write, and why', async () => {
  const second = redises[1] as OwnRedis;
  const admin = await connectRedis(second.url, { role: 'command', name: 'test', log: silentLog });
  const nodes = [system.gateway(0), system.gateway(1), system.core(0)];
  const refused = (redis: string) =>
    Promise.all(
      nodes.map(async ({ adminUrl }) => {
        const { value } = await metrics(adminUrl);
        return value('hooligram_redis_writes_refused_total', { code: 'NOREPLICAS', redis });
      }),
    );
  expect(await refused('1')).toEqual([0, 0, 0]);
  await admin.config('SET', 'min-replicas-to-write', '1');
  try {
    await until('each was refused', async () => (await refused('1')).every((times) => times > 0));
    expect(await refused('0')).toEqual([0, 0, 0]);
  } finally {
    await admin.config('SET', 'min-replicas-to-write', '0');
    admin.disconnect();
  }
});

import { randomUUID } from 'node:crypto';
import { openDb } from '@hooligram/db';
import { metrics, startSystem, type TestSystem, uniqueSid } from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Database, openDatabase } from './database.ts';
import { FakeGateway } from './fake-gateway.ts';
import { until } from './fixture.ts';
import { group, send, type User } from './group.ts';

const batchMax = 500;
const anonymousMax = 100;

let system: TestSystem;
let gateway: FakeGateway;
let database: Database;
let heavy: User;
let light: User;
let group_id: number;

beforeAll(async () => {
  system = await startSystem({
    gateways: 0,
    cores: 1,
    coreEnv: {
      DATABASE_POOL: '4',
      ANONYMOUS_DATABASE_MAX: '2',
      ANONYMOUS_REQUESTS_MAX: String(anonymousMax),
      LOCK_TIMEOUT_MS: '60000',
      STATEMENT_TIMEOUT_MS: '60000',
      REQUEST_SETTLE_MS: '67000',
    },
  });
  gateway = await FakeGateway.connect(system);
  database = openDatabase(system.databaseUrl);
  const db = openDb({ url: system.databaseUrl, applicationName: 'test' });
  ({ one: heavy, two: light, group_id } = await group(gateway, db));
  await db.close();
});

afterEach(() => database.release());

afterAll(async () => {
  gateway?.close();
  await database?.close();
  await system?.stop();
});

/** Resolves when the core holds so many requests of a type that have no outcome yet. */
const untilStarted = (type: string, users: number) =>
  until(
    `${users} users wait in ${type}`,
    async () => (await metrics(system.core(0).adminUrl)).value('hooligram_core_request_users', { type }),
    (found) => found === users,
  );

function create({ user_id, sid }: User) {
  const member_sids = [sid, uniqueSid(), uniqueSid()];
  return gateway.request('GROUP_CREATE', { user_id, sid, repeatable: true, group_name: 'many', member_sids });
}

test('a user with one message is in the next batch beside a user with 1,000 that came before', async () => {
  const release = await database.hold('LOCK TABLE message IN EXCLUSIVE MODE');
  const first = send(gateway, group_id, light, 'holds the batch');
  await database.untilWaiting(1);
  const from = gateway.answers.length;
  const many: Promise<unknown>[] = [];
  for (let burst = 0; burst < 50; burst += 1) {
    for (let count = 0; count < 20; count += 1) many.push(send(gateway, group_id, heavy));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until('the heavy user waits', async () => (await gateway.redis.xlen(gateway.names.requests)) >= 51);
  const content = randomUUID();
  const one = send(gateway, group_id, light, content);
  await untilStarted('MESSAGING_SEND', 2);
  await release();
  const { message_id } = await one;
  await Promise.all([first, ...many]);
  const place = gateway.answers
    .slice(from)
    .findIndex(
      (answer) => answer.ok && 'message_id' in answer.answer && answer.answer.message_id === message_id,
    );
  expect(place).toBeLessThanOrEqual(batchMax);
});

test('a user who creates thirty groups at once makes neither the next group of another user wait, nor a message', async () => {
  const release = await database.hold('LOCK TABLE request IN EXCLUSIVE MODE');
  const order: string[] = [];
  const many = Array.from({ length: 30 }, () => create(heavy).then(() => order.push('heavy')));
  await database.untilWaiting(1);
  const other = create(light).then(() => order.push('light'));
  await database.untilWaiting(2);
  await send(gateway, group_id, light);
  expect(order).toEqual([]);
  await release();
  await other;
  expect(order.filter((who) => who === 'heavy').length).toBeLessThan(15);
  await Promise.all(many);
});

test('codes that nobody asked for are refused beyond a bound, and neither a sign-in nor a message waits for the others', async () => {
  const submit = () =>
    gateway
      .request('VERIFICATION_SUBMIT_CODE', {
        connection_id: randomUUID(),
        address: '192.0.2.1',
        verification_code: '000000',
      })
      .catch((error: Error) => error.message);
  const release = await database.hold('LOCK TABLE verification_challenge IN ACCESS EXCLUSIVE MODE');
  const answers: string[] = [];
  const many = Array.from({ length: 5 * anonymousMax }, () =>
    submit().then((answer) => answers.push(String(answer))),
  );
  await database.untilWaiting(2);
  await send(gateway, group_id, light);
  const [country_code = '', phone_number = ''] = light.sid.split('.');
  const signIn = { address: '192.0.2.1', country_code, phone_number, verification_code: '1' };
  await expect(gateway.request('AUTHORIZATION_SIGN_IN', signIn)).rejects.toThrow('wrong phone number');
  await release();
  await Promise.all(many);
  const busy = answers.filter((answer) => answer.endsWith('server busy')).length;
  expect(busy).toBeGreaterThan(anonymousMax);
  expect(answers.length - busy).toBeGreaterThanOrEqual(anonymousMax);
});

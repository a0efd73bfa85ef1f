import { type Db, openDb } from '@hooligram/db';
import { metrics, startSystem, type TestSystem } from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Database, openDatabase } from './database.ts';
import { FakeGateway } from './fake-gateway.ts';
import { until } from './fixture.ts';
import { group, send } from './group.ts';

type Group = Awaited<ReturnType<typeof group>>;

let system: TestSystem;
let gateway: FakeGateway;
let database: Database;
let db: Db;

beforeAll(async () => {
  system = await startSystem({ gateways: 0, cores: 1, coreEnv: { STATEMENT_TIMEOUT_MS: '4000' } });
  gateway = await FakeGateway.connect(system);
  database = openDatabase(system.databaseUrl);
  db = openDb({ url: system.databaseUrl, applicationName: 'test' });
});

afterEach(() => database.release());

afterAll(async () => {
  gateway?.close();
  await db?.close();
  await database?.close();
  await system?.stop();
});

const counted = async (name: string, type: string) =>
  (await metrics(system.core(0).adminUrl)).value(`hooligram_core_${name}`, { type });

const untilWaiting = (requests: number, type: string) =>
  until(
    `${requests} requests of ${type} wait by themselves`,
    () => counted('requests_waiting', type),
    (found) => found === requests,
  );

const stored = (group_id: number) =>
  database.rows<{ content: string }>('SELECT content FROM message WHERE group_id = $1 ORDER BY seq', [
    group_id,
  ]);

const outcomeOf = (request: Promise<unknown>) =>
  request.then(
    () => 'stored',
    (error: Error) => error.message,
  );

const groups = async (count: number) => {
  const made: Group[] = [];
  for (let number = 0; number < count; number += 1) made.push(await group(gateway, db));
  return made;
};

test('while somebody holds the row of a group, its messages wait by themselves: those of the same batch and later ones of others are stored', async () => {
  const [locked, ...others] = (await groups(3)) as [Group, Group];
  const release = await database.holdGroup(locked.group_id);
  const early = ['first', 'second', 'third'].map((text) => send(gateway, locked.group_id, locked.one, text));
  // In the batch of the locked group's messages.
  await Promise.all(others.map(({ group_id, one }) => send(gateway, group_id, one)));
  await untilWaiting(3, 'MESSAGING_SEND');
  const late = send(gateway, locked.group_id, locked.one, 'fourth');
  await untilWaiting(4, 'MESSAGING_SEND');
  await Promise.all(others.map(({ group_id, two }) => send(gateway, group_id, two)));
  expect(await stored(locked.group_id)).toEqual([]);
  await release();
  await Promise.all([...early, late]);
  const texts = (await stored(locked.group_id)).map(({ content }) => content);
  expect(texts).toEqual(['first', 'second', 'third', 'fourth']);
  await untilWaiting(0, 'MESSAGING_SEND');
});

test('a message that makes its batch fail, beside one whose row is held, holds up neither the rest of the batch nor what comes later', async () => {
  const [locked, poisoned, ...others] = (await groups(5)) as [Group, Group];
  const release = await database.holdGroup(locked.group_id);
  const refused = outcomeOf(send(gateway, poisoned.group_id, poisoned.one, 'no database keeps a \0'));
  const waiting = send(gateway, locked.group_id, locked.one);
  const neighbour = send(gateway, poisoned.group_id, poisoned.two);
  await Promise.all([neighbour, ...others.map(({ group_id, one }) => send(gateway, group_id, one))]);
  expect(await refused).toBe('MESSAGING_SEND: internal error');
  await Promise.all(others.map(({ group_id, two }) => send(gateway, group_id, two)));
  expect(await stored(locked.group_id)).toEqual([]);
  await release();
  await waiting;
  await untilWaiting(0, 'MESSAGING_SEND');
});

test('while somebody holds the row of a group, changes of it wait by themselves, and other groups change', async () => {
  const [locked, free] = (await groups(2)) as [Group, Group];
  const users = (await Promise.all([group(gateway, db, 5)]))[0];
  const release = await database.holdGroup(users.group_id);
  const leave = (group_id: number, user_id: number) =>
    gateway.request('GROUP_LEAVE', { user_id, repeatable: true, group_id });
  const leaving = users.people.map(({ user_id }) => leave(users.group_id, user_id));
  await untilWaiting(5, 'GROUP_LEAVE');
  await leave(locked.group_id, locked.one.user_id);
  await leave(free.group_id, free.one.user_id);
  await release();
  await Promise.all(leaving);
});

test('a batch that is too slow is split until the slow message is alone: that one gets FAILURE for good, all others are stored', async () => {
  const [slow, ...others] = (await groups(6)) as [Group, Group];
  await database.rows(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(30); RETURN NEW; END'`);
  await database.rows(`CREATE TRIGGER slow BEFORE INSERT ON message FOR EACH ROW
    WHEN (NEW.group_id = ${slow.group_id}) EXECUTE FUNCTION slow()`);
  const before = await counted('batches_split_total', 'MESSAGING_SEND');
  const request_id = '8a0c2c1e-59a5-4b7e-9d0e-0d1d6c1a2b3c';
  const params = { ...slow.one, repeatable: true, group_id: slow.group_id, content: 'slow' };
  const judged = outcomeOf(gateway.request('MESSAGING_SEND', params, request_id));
  const innocent = others.map(({ group_id, one }) => outcomeOf(send(gateway, group_id, one)));
  expect(await Promise.all(innocent)).toEqual(others.map(() => 'stored'));
  expect(await judged).toBe('MESSAGING_SEND: internal error');
  expect(await counted('batches_split_total', 'MESSAGING_SEND')).toBeGreaterThan(before);

  await database.rows('DROP TRIGGER slow ON message; DROP FUNCTION slow');
  expect(await outcomeOf(gateway.request('MESSAGING_SEND', params, request_id))).toBe(
    'MESSAGING_SEND: internal error',
  );
  await send(gateway, slow.group_id, slow.one, 'quick');
  expect(await stored(slow.group_id)).toEqual([{ content: 'quick' }]);
});

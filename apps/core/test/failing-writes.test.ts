import { randomUUID } from 'node:crypto';
import { type Db, openDb } from '@hooligram/db';
import { readTryAgain } from '@hooligram/protocol';
import { metrics, startSystem, type TestSystem, uniqueSid, until } from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Database, openDatabase } from './database.ts';
import { FakeGateway } from './fake-gateway.ts';
import { numberOf } from './fixture.ts';
import { group, send } from './group.ts';

// A database that cannot do its work for a while, mostly one that is read and takes no writes: the core runs a request
// again and again, and limits count it once.

const [right, wrong] = ['000000', '111111'];
const wrongCredential = 'wrong phone number or verification code';
const window = '/9000000';

let system: TestSystem;
let gateway: FakeGateway;
let database: Database;
let db: Db;

beforeAll(async () => {
  system = await startSystem({
    gateways: 0,
    cores: 1,
    coreEnv: {
      LIMITS_ENABLED: 'true',
      LIMIT_TEXTS_PER_NUMBER: `2${window}`,
      LIMIT_TEXTS_FIRST_OF_NETWORK: `1${window}`,
      LIMIT_TEXTS_PER_NUMBER_AND_SOURCE: `1${window}`,
      LIMIT_GUESSES_PER_NUMBER_AND_SOURCE: `2${window}`,
      LIMIT_GUESSES_FIRST_OF_NETWORK: `1${window}`,
      LIMIT_GUESSES_RESERVE: `1${window}`,
      LIMIT_MESSAGES_PER_USER: `20${window}`,
      LIMIT_SIGN_INS_PER_USER: `4${window}`,
    },
  });
  gateway = await FakeGateway.connect(system);
  database = openDatabase(system.databaseUrl);
  db = openDb({ url: system.databaseUrl, applicationName: 'test' });
  await database.rows(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      -- A sequence goes on, whatever becomes of the transaction.
      IF nextval('attempts') <= TG_ARGV[0]::int THEN
        RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full';
      END IF;
      RETURN NULL;
    END $$`);
});

const tables = ['verification_challenge', 'credential', 'message'] as const;

afterEach(async () => {
  await database.release();
  for (const table of tables) await database.rows(`DROP TRIGGER IF EXISTS fails ON ${table}`);
  await database.rows('DROP SEQUENCE IF EXISTS attempts');
});

afterAll(async () => {
  gateway?.close();
  await db?.close();
  await database?.close();
  await system?.stop();
});

/** From now on so many writes to a table fail, as on a full disk, and those that follow do not. */
async function failWrites(table: (typeof tables)[number], times: number): Promise<void> {
  await database.rows('CREATE SEQUENCE attempts');
  await database.rows(`CREATE TRIGGER fails BEFORE INSERT OR UPDATE OR DELETE ON ${table}
    FOR EACH STATEMENT EXECUTE FUNCTION fail(${times})`);
}

const triedWrites = async () =>
  Number((await database.rows<{ last_value: string }>('SELECT last_value FROM attempts'))[0]?.last_value);

let addresses = 0;

function newAddress(): string {
  addresses += 1;
  return `198.51.${addresses}.1`;
}

/** @returns 'ok', or the error without the seconds that it names */
const outcomeOf = (request: Promise<unknown>) =>
  request.then(
    () => 'ok',
    (error: Error) => readTryAgain(error.message.replace(/^\w+: /, '')).text,
  );

const ask = (sid: string, address: string, connection_id = randomUUID()) =>
  outcomeOf(gateway.request('VERIFICATION_REQUEST_CODE', { connection_id, address, ...numberOf(sid) }));

const submit = (connection_id: string, address: string, verification_code = right) =>
  outcomeOf(gateway.request('VERIFICATION_SUBMIT_CODE', { connection_id, address, verification_code }));

const signIn = (sid: string, address: string, verification_code = right) =>
  outcomeOf(gateway.request('AUTHORIZATION_SIGN_IN', { address, verification_code, ...numberOf(sid) }));

/** @returns a new number with the right code */
async function registered(): Promise<string> {
  const [sid, address, connection_id] = [uniqueSid(), newAddress(), randomUUID()];
  expect(await ask(sid, address, connection_id)).toBe('ok');
  expect(await submit(connection_id, address)).toBe('ok');
  return sid;
}

test('a request for a code whose writes fail some times is sent a text, and counts for one', async () => {
  const [sid, address] = [uniqueSid(), newAddress()];
  await failWrites('verification_challenge', 3);
  expect(await ask(sid, address)).toBe('ok');
  expect(await triedWrites()).toBeGreaterThan(3);
  expect(await ask(sid, address)).toBe('too many requests');
  // Another one for everybody, and the first of a further network.
  expect(await ask(sid, newAddress())).toBe('ok');
  expect(await ask(sid, newAddress())).toBe('ok');
  expect(await ask(sid, newAddress())).toBe('too many requests');
});

test('a right code whose comparison fails some times is right, and no guess is counted', async () => {
  const [sid, address, connection_id] = [uniqueSid(), newAddress(), randomUUID()];
  expect(await ask(sid, address, connection_id)).toBe('ok');
  await failWrites('verification_challenge', 6);
  expect(await submit(connection_id, address)).toBe('ok');
  expect(await triedWrites()).toBeGreaterThan(6);
  // Two of the number and the network, and what is kept for a network that the number signed in from.
  for (const answer of [wrongCredential, wrongCredential, wrongCredential, 'too many attempts'])
    expect(await signIn(sid, address, wrong)).toBe(answer);
});

test('a second submission whose comparison fails some times counts for one guess', async () => {
  const [sid, address, connection_id] = [uniqueSid(), newAddress(), randomUUID()];
  expect(await ask(sid, address, connection_id)).toBe('ok');
  expect(await submit(connection_id, address, wrong)).toBe('wrong code');
  await failWrites('verification_challenge', 4);
  expect(await submit(connection_id, address, wrong)).toBe('wrong code');
  expect(await triedWrites()).toBeGreaterThan(4);
  expect(await submit(connection_id, address)).toBe('ok');
});

test('a wrong code at a sign-in whose writes fail some times counts for one guess, in the limits and in the life of the code', async () => {
  const [sid, address] = [await registered(), newAddress()];
  await failWrites('credential', 4);
  expect(await signIn(sid, address, wrong)).toBe(wrongCredential);
  expect(await triedWrites()).toBeGreaterThan(4);
  const failures = await database.rows(
    'SELECT code_failures FROM credential c JOIN "user" u ON u.id = c.user_id WHERE u.sid = $1',
    [sid],
  );
  expect(failures).toEqual([{ code_failures: 1 }]);
  expect(await signIn(sid, address, wrong)).toBe(wrongCredential);
  expect(await signIn(sid, address, wrong)).toBe('too many attempts');
});

test('sign-ins of a user on several connections whose groups cannot be read some times count once each', async () => {
  const [sid, address] = [await registered(), newAddress()];
  const failed = async () =>
    (await metrics(system.core(0).adminUrl)).value('hooligram_core_batch_failures_total', {
      type: 'AUTHORIZATION_SIGN_IN',
    });
  const before = await failed();
  await database.rows('ALTER TABLE group_member RENAME TO group_member_later');
  const answers = [1, 2, 3].map(() => signIn(sid, address));
  await until('they were run some times', async () => (await failed()) >= before + 6);
  await database.rows('ALTER TABLE group_member_later RENAME TO group_member');
  expect(await Promise.all(answers)).toEqual(['ok', 'ok', 'ok']);
  expect(await signIn(sid, address)).toBe('ok');
  expect(await signIn(sid, address)).toBe('too many requests');
});

test('messages whose writes fail some times are all stored, and count once each', async () => {
  const { group_id, one } = await group(gateway, db);
  await failWrites('message', 4);
  const sends = Array.from({ length: 16 }, () => outcomeOf(send(gateway, group_id, one)));
  expect(new Set(await Promise.all(sends))).toEqual(new Set(['ok']));
  expect(await triedWrites()).toBeGreaterThan(4);
  const more = [];
  for (let n = 0; n < 5; n += 1) more.push(await outcomeOf(send(gateway, group_id, one)));
  expect(more).toEqual(['ok', 'ok', 'ok', 'ok', 'too many messages']);
});

test('messages of a group whose row is held while they are tried again and again count once each', async () => {
  const { group_id, one } = await group(gateway, db);
  const release = await database.holdGroup(group_id);
  const sends = Array.from({ length: 16 }, () => outcomeOf(send(gateway, group_id, one)));
  await until('they were tried some times', async () => {
    const { value } = await metrics(system.core(0).adminUrl);
    return value('hooligram_core_lock_timeouts_total', { type: 'MESSAGING_SEND' }) >= 4;
  });
  await release();
  expect(new Set(await Promise.all(sends))).toEqual(new Set(['ok']));
  for (let n = 0; n < 4; n += 1) expect(await outcomeOf(send(gateway, group_id, one))).toBe('ok');
  expect(await outcomeOf(send(gateway, group_id, one))).toBe('too many messages');
});

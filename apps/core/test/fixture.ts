import { connectRedis, createNames, type Names } from '@hooligram/bus';
import { MobileClient } from '@hooligram/conformance';
import { type Db, openDb } from '@hooligram/db';
import {
  connect,
  metrics,
  patienceMs,
  type ReceivedFrame,
  silentLog,
  startSystem,
  type TestClient,
  type TestClientOptions,
  type TestSystem,
  type TestSystemOptions,
  uniqueSid,
  until,
} from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { Redis } from 'ioredis';

export { until };

/** A user who is signed in on one connection. */
export type SignedInClient = {
  readonly sid: string;
  readonly client: TestClient;
};

/** The system of one test file. Connections are closed when the test that opened them ends. */
export type Fixture = {
  readonly system: TestSystem;
  /** A connection to the gateway with that index. */
  connect(gateway: number, options?: TestClientOptions): Promise<TestClient>;
  /** A new user who has verified their number and signed in. */
  enter(gateway: number, options?: TestClientOptions): Promise<SignedInClient>;
  /** The same user on one more connection. */
  returning(sid: string, gateway: number, options?: TestClientOptions): Promise<SignedInClient>;
  /** A new user who has verified their number, signed in with the mobile client. */
  mobile(gateway: number): Promise<MobileClient>;
  /** Rows of the system's database. */
  rows<R extends object>(sql: string, values: readonly unknown[]): Promise<R[]>;
  /** Resolves when the database has stored that this user acknowledged the group this far. */
  untilAcknowledged(sid: string, groupId: number, what: { seq?: number; version?: number }): Promise<void>;
  /** The names in the system's Redis. */
  readonly names: Names;
  /** A connection of the test's own to it. */
  redis(): Promise<Redis>;
  /** Whether no delivery check is scheduled: the last one of every group has found everything due. */
  areDeliveryChecksOver(): Promise<boolean>;
  /** A counter, summed over all gateways. */
  counted(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
};

/** For gateways whose requests are counted: a busy machine answers late, and none of them is written again. */
export const writtenOnce = {
  REQUEST_DEADLINE_MS: '120000',
  REQUEST_REPEAT_MS: '130000',
  REQUEST_PATIENCE_MS: '300000',
};

/** Starts one system for all tests of the file that calls it. */
export function startFixture(options: TestSystemOptions): Fixture {
  let system: TestSystem | undefined;
  let db: Db | undefined;
  let redis: Promise<Redis> | undefined;
  const open = new Set<TestClient>();
  const mobiles = new Set<MobileClient>();

  beforeAll(async () => {
    system = await startSystem(options);
    db = openDb({
      url: system.databaseUrl,
      poolSize: 2,
      applicationName: 'core-test',
      statementTimeoutMs: patienceMs,
    });
  });
  afterEach(async () => {
    const clients = [...open];
    open.clear();
    for (const client of clients) client.terminate();
    await Promise.all([
      ...clients.map((client) => client.closed),
      ...[...mobiles].map((client) => client.stop()),
    ]);
    mobiles.clear();
  });
  afterAll(async () => {
    await db?.close();
    (await redis)?.disconnect();
    await system?.stop();
  });

  const fixture: Fixture = {
    get system() {
      if (!system) throw new Error('the system starts in beforeAll');
      return system;
    },
    get names() {
      return createNames(fixture.system.prefix);
    },
    redis() {
      redis ??= connectRedis(fixture.system.redisUrl, { role: 'command', name: 'core-test', log: silentLog });
      return redis;
    },
    async connect(gateway, clientOptions) {
      const client = await connect(fixture.system.gateway(gateway).url, clientOptions);
      open.add(client);
      return client;
    },
    async enter(gateway, clientOptions) {
      const sid = uniqueSid();
      const client = await fixture.connect(gateway, clientOptions);
      await client.signIn(sid);
      return { sid, client };
    },
    async returning(sid, gateway, clientOptions) {
      const client = await fixture.connect(gateway, clientOptions);
      await client.authorize(sid);
      return { sid, client };
    },
    async mobile(gateway) {
      const sid = uniqueSid();
      await (await fixture.connect(gateway)).register(sid);
      const { url } = fixture.system.gateway(gateway);
      const client = new MobileClient({ url, sid, code: '000000', timeoutMs: patienceMs });
      mobiles.add(client);
      await client.signedIn();
      return client;
    },
    async rows<R extends object>(sql: string, values: readonly unknown[]) {
      if (!db) throw new Error('the database is opened in beforeAll');
      return (await db.pool.query<R>(sql, [...values])).rows;
    },
    async untilAcknowledged(sid, groupId, { seq = 0, version = 0 }) {
      await until(`${sid} acknowledged ${groupId} up to ${seq}, ${version}`, async () => {
        const [cursor] = await fixture.rows<{ seq: number; version: number }>(
          `SELECT m.delivered_seq AS seq, m.delivered_version AS version
           FROM group_member m JOIN "user" u ON u.id = m.user_id WHERE m.group_id = $1 AND u.sid = $2`,
          [groupId, sid],
        );
        return cursor !== undefined && cursor.seq >= seq && cursor.version >= version;
      });
    },
    async areDeliveryChecksOver() {
      const keys = ['active', 'wait', 'delayed'].map(
        (list) => `${fixture.names.queues}:delivery-check:${list}`,
      );
      return (await (await fixture.redis()).exists(...keys)) === 0;
    },
    async counted(name, labels) {
      const all = await Promise.all(fixture.system.gateways.map(({ adminUrl }) => metrics(adminUrl)));
      // A name with a slip of the pen would count 0 for ever.
      if (!all.some(({ text }) => text.includes(`# TYPE ${name} counter`)))
        throw new Error(`no gateway has ${name}`);
      return all.reduce((sum, { value }) => sum + value(name, labels), 0);
    },
  };
  return fixture;
}

export function numberOf(sid: string): { country_code: string; phone_number: string } {
  const [country_code = '', phone_number = ''] = sid.split('.');
  return { country_code, phone_number };
}

/** @returns the new group's id */
export async function createGroup(
  { client, sid }: SignedInClient,
  others: readonly string[],
  group_name = 'a group',
): Promise<number> {
  const { payload } = await client.requestOk('GROUP_CREATE', { group_name, member_sids: [sid, ...others] });
  return payload.group_id as number;
}

/** @returns the stored message's id */
export async function sendMessage(
  { client }: SignedInClient,
  group_id: number,
  content: string,
): Promise<number> {
  const { payload } = await client.requestOk('MESSAGING_SEND', { group_id, content });
  return payload.message_id as number;
}

/** Waits for the delivery of one message, and takes it from the inbox. */
export function receiveMessage({ client }: SignedInClient, message_id: number): Promise<ReceivedFrame> {
  return client.next(isDeliveryOf(message_id));
}

/** Sends a message once the recipient has received the group, and waits for its delivery. */
export async function sendTo(
  recipient: SignedInClient,
  sender: SignedInClient,
  group_id: number,
  content: string,
): Promise<void> {
  await recipient.client.waitFor(() => statesOf(recipient, group_id).length > 0);
  await receiveMessage(recipient, await sendMessage(sender, group_id, content));
}

function isDeliveryOf(message_id: number): (frame: ReceivedFrame) => boolean {
  return ({ type, payload }) => type === 'MESSAGING_DELIVER_REQUEST' && payload.message_id === message_id;
}

/** Waits for the next state of a group, and takes it from the inbox. */
export function state({ client }: SignedInClient, group_id: number): Promise<ReceivedFrame> {
  return client.next(
    ({ type, payload }) => type === 'GROUP_DELIVER_REQUEST' && payload.group_id === group_id,
  );
}

/** Waits for the state of a group that names exactly these members, and takes it from the inbox. */
export function stateOf(
  { client }: SignedInClient,
  group_id: number,
  members: readonly string[],
): Promise<ReceivedFrame> {
  const expected = [...members].sort().join();
  return client.next(
    ({ type, payload }) =>
      type === 'GROUP_DELIVER_REQUEST' &&
      payload.group_id === group_id &&
      payload.member_sids?.join() === expected,
  );
}

/** The states of a group received so far, taken or not. */
export function statesOf({ client }: SignedInClient, group_id: number): ReceivedFrame[] {
  return client.received('GROUP_DELIVER_REQUEST').filter(({ payload }) => payload.group_id === group_id);
}

/**
 * The messages received so far, each once, in the order in which they first came. One whose acknowledgement comes too late, or
 * is lost with its Redis, is delivered again, with the same id: that is promised no otherwise.
 */
export function messagesOf({ client }: SignedInClient): ReceivedFrame['payload'][] {
  const first = new Map<unknown, ReceivedFrame['payload']>();
  for (const { payload } of client.received('MESSAGING_DELIVER_REQUEST')) {
    if (!first.has(payload.message_id)) first.set(payload.message_id, payload);
  }
  return [...first.values()];
}

/** Waits until so many messages have been received, and returns them as `messagesOf` does. */
export function receiveMessages(person: SignedInClient, count: number): Promise<ReceivedFrame['payload'][]> {
  return person.client.waitFor((frames) => {
    if (frames.length < count) return false;
    const messages = messagesOf(person);
    return messages.length === count && messages;
  }, `${count} messages`);
}

/** The contents received so far of one group, or of all, in the order in which they first came. */
export function contents(person: SignedInClient, group_id?: number): (string | undefined)[] {
  return messagesOf(person)
    .filter((message) => group_id === undefined || message.group_id === group_id)
    .map(({ content }) => content);
}

/** The errors of a request that must fail. */
export async function errorsOf(
  { client }: { client: TestClient },
  type: string,
  payload: unknown,
  id?: string,
): Promise<readonly string[] | undefined> {
  const answer = await client.request(type, payload, id);
  if (!answer.type.endsWith('_FAILURE')) throw new Error(`${type} succeeded: ${JSON.stringify(answer)}`);
  return answer.payload.errors;
}

/** Acknowledges messages, and no groups: what the mobile client does. */
export const messagesOnly: TestClientOptions = {
  acknowledge: ({ type }) => type === 'MESSAGING_DELIVER_REQUEST',
};

/** Acknowledges nothing by itself. */
export const nothing: TestClientOptions = { acknowledge: false };

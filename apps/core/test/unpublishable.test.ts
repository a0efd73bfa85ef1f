import { type Db, openDb } from '@hooligram/db';
import {
  connect,
  metrics,
  redisUrl,
  startSystem,
  type TestSystem,
  uniqueSid,
  until,
} from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { FakeGateway } from './fake-gateway.ts';
import { send } from './group.ts';

const user = 'core-that-may-not-publish';

let redis: Redis;
let system: TestSystem;
let gateway: FakeGateway;
let db: Db;

beforeAll(async () => {
  redis = new Redis(await redisUrl());
  await redis.acl('SETUSER', user, 'on', '>pw', '~*', '&*', '+@all');
  const url = new URL(await redisUrl());
  url.username = user;
  url.password = 'pw';
  system = await startSystem({
    gateways: 1,
    cores: 1,
    coreEnv: {
      ...{ REDIS_URL: url.href, CLAIM_IDLE_MS: '100', CLAIM_EVERY_MS: '50' },
      DELIVERY_ACK_DEADLINE_MS: '300',
    },
  });
  gateway = await FakeGateway.connect(system);
  db = openDb({ url: system.databaseUrl, applicationName: 'test' });
});

afterAll(async () => {
  gateway?.close();
  await db?.close();
  await system?.stop();
  await redis?.acl('DELUSER', user);
  redis?.disconnect();
});

const deadLetters = async (type: string) =>
  (await metrics(system.core(0).adminUrl)).value('hooligram_core_request_dead_letters_total', {
    ...{ type, cause: 'publishing' },
  });

test('an entry of which Redis never takes what it publishes leaves the stream in the end, with a line in the log; its message is stored, and is delivered by itself once Redis takes publications', async () => {
  const [sid, recipientSid] = [uniqueSid(), uniqueSid()];
  const one = { user_id: Number((await db.prisma.user.create({ data: { sid } })).id), sid };
  const recipient = await connect(system.gateway(0).url);
  await recipient.signIn(recipientSid);
  const group = { repeatable: true, group_name: '', member_sids: [sid, recipientSid] };
  const { group_id } = await gateway.request('GROUP_CREATE', { ...one, ...group });
  await recipient.next('GROUP_DELIVER_REQUEST');
  const { requests, cores } = gateway.names;
  await redis.acl('SETUSER', user, '-publish', '-spublish');
  // Nobody gets an answer meanwhile.
  void send(gateway, group_id, one, 'unheard').catch(() => {});
  await until('its entry is given up', async () => (await deadLetters('MESSAGING_SEND')) === 1);
  // Others come and go: what the gateway asks for meanwhile.
  await until('it left the stream', async () => {
    const [pending] = (await redis.xpending(requests, cores)) as [number];
    return pending === 0 && (await redis.xlen(requests)) === 0;
  });
  // Of another entry, whose answer is refused as well, if that one was given up first: such lines are counted, not repeated.
  expect(system.core(0).log()).toContain('an entry became a dead letter');
  const { rows } = await db.pool.query('SELECT content FROM message WHERE group_id = $1', [group_id]);
  expect(rows).toEqual([{ content: 'unheard' }]);

  expect(recipient.received('MESSAGING_DELIVER_REQUEST')).toEqual([]);
  await redis.acl('SETUSER', user, '+publish', '+spublish');
  const { payload } = await recipient.next('MESSAGING_DELIVER_REQUEST');
  expect(payload).toMatchObject({ group_id, content: 'unheard', sender_sid: sid });
  await recipient.close();
  await send(gateway, group_id, one, 'heard');
  expect(await deadLetters('MESSAGING_SEND')).toBe(1);
});

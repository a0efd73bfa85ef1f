import type { Db } from '@hooligram/db';
import { createLog, createMetrics, readConfig } from '@hooligram/service';
import { freshPrefix, redisUrl } from '@hooligram/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Context } from '../context.ts';
import { groupAddMemberPermit, groupCreatePermit, permitted } from './group-limits.ts';
import { userLimitsConfig } from './user-config.ts';
import { UserLimit, type UserLimitStores } from './user-limit.ts';
import { createUserLimits } from './user-limits.ts';

const user_id = 7;
const member_sids = Array.from({ length: 64 }, (_, n) => `1.555${1_000 + n}`);
const window = '/9000000';
const log = createLog({ name: 'core', level: 'silent' });
let redis: Redis;
let shardOf: UserLimitStores['shardOf'];

beforeAll(async () => {
  redis = new Redis(await redisUrl(), { lazyConnect: true });
  await redis.connect();
});
beforeEach(() => {
  const shard = { redis: { command: redis }, names: { limits: `${freshPrefix()}:limit` } };
  shardOf = () => shard;
});
afterAll(() => redis.disconnect());

/** A database that is away until it is said to be back, with or without taking writes. It knows everybody, and no request. */
function setUp() {
  let isAway = true;
  const query = async () => {
    if (isAway) throw new Error('Connection terminated unexpectedly');
    return { rows: [{ isAnswered: false, strangers: 0, unknown: 0, members: 1 }] };
  };
  const config = readConfig(userLimitsConfig, {
    LIMIT_GROUPS_CREATED_PER_USER: `1${window}`,
    LIMIT_MEMBERS_ADDED_PER_USER: `64${window}`,
  });
  const context = {
    db: { pool: { query }, keepsStatements: true, onStatement() {} } as unknown as Db,
    userLimits: createUserLimits(config, { shardOf, log, metrics: createMetrics({ role: 'core' }) }),
  } as Context;
  let isReadOnly = false;
  const change = async () => {
    if (isReadOnly) throw new Error('cannot execute INSERT in a read-only transaction');
    return undefined;
  };
  const create = async (again = false) => {
    const params = { user_id, sid: '1.5551000', repeatable: true, group_name: 'group', member_sids };
    return permitted(
      await groupCreatePermit(context, { request_id: 'r', again, params }, member_sids),
      change,
    );
  };
  const add = async (again = false) => {
    const params = { user_id, repeatable: true, group_id: 1, member_sid: '1.5551000' };
    return permitted(await groupAddMemberPermit(context, { request_id: 's', again, params }), change);
  };
  return {
    ...{ create, add },
    back: (readOnly: boolean) => {
      isAway = false;
      isReadOnly = readOnly;
    },
  };
}

test('a request that is run again and again while the database is away or takes no writes uses up nothing of what its user may do', async () => {
  const { create, add, back } = setUp();
  for (let run = 0; run < 80; run += 1) {
    await expect(create()).rejects.toThrow('terminated');
    await expect(add()).rejects.toThrow('terminated');
  }
  back(true);
  for (let run = 0; run < 80; run += 1) {
    await expect(create()).rejects.toThrow('read-only');
    await expect(add()).rejects.toThrow('read-only');
  }
  back(false);
  expect([await create(), await add()]).toEqual([undefined, undefined]);
  expect([await create(), await add()]).not.toContain(undefined);
});

test('what a gateway has written again meets no rate, and uses up nothing of one', async () => {
  const { create, add, back } = setUp();
  back(false);
  for (const again of [true, false, true]) {
    expect([await create(again), await add(again)]).toEqual([undefined, undefined]);
  }
  expect([await create(), await add()]).not.toContain(undefined);
});

test('what is given back and was never counted gives a user no more than others have', async () => {
  const limit = new UserLimit({ shardOf, log }, 'limit', { points: 2, seconds: 9_000_000 });
  limit.giveBack(user_id, 64);
  expect(await limit.take(user_id, 2)).toBeUndefined();
  expect(await limit.take(user_id, 1)).toBeGreaterThan(0);
});

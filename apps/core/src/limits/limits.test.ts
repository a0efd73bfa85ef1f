import { createLog, createMetrics, readConfig } from '@hooligram/service';
import { freshPrefix, redisUrl } from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { limitsConfig } from './config.ts';
import { createLimits } from './index.ts';

const log = createLog({ name: 'core', level: 'silent' });
const tight = {
  LIMIT_CODE_REQUESTS_PER_NUMBER: '2/60',
  LIMIT_CODE_REQUESTS_PER_ADDRESS: '3/60',
  LIMIT_SUBMIT_FAILURES_PER_ADDRESS: '2/60',
  LIMIT_SIGN_IN_FAILURES_PER_ADDRESS: '5/60',
  LIMIT_SIGN_IN_FAILURES_PER_ADDRESS_AND_NUMBER: '2/60',
  LIMIT_SIGN_IN_FAILURES_PER_NUMBER: '6/60',
};
const open: Redis[] = [];
let redis: Redis;
let prefix: string;

function client(url: string): Redis {
  const made = new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: null, lazyConnect: true });
  made.on('error', () => {});
  open.push(made);
  return made;
}

function setUp(env: Record<string, string> = {}, using = redis) {
  const metrics = createMetrics({ role: 'core' });
  const config = { ...readConfig(limitsConfig, { ...tight, ...env }), CREDENTIAL_KEY: 'k'.repeat(32) };
  return { limits: createLimits(config, { redis: using, prefix, metrics, log }), metrics };
}

beforeAll(async () => {
  redis = client(await redisUrl());
  await redis.connect();
});
beforeEach(() => {
  prefix = freshPrefix();
});
afterAll(() => {
  for (const made of open) made.disconnect();
});

const ann = { sid: '1.5550100', address: '203.0.113.1' };
const times = (n: number) => Array.from({ length: n }, (_, index) => index);
const from = (n: number) => `198.51.100.${n}`;

describe('code requests', () => {
  test('are limited per number, from every address', async () => {
    const { limits } = setUp();
    const answers = [];
    for (const n of times(4)) answers.push(await limits.codeRequest({ sid: ann.sid, address: from(n) }));
    expect(answers).toEqual([true, true, false, false]);
    expect(await limits.codeRequest({ sid: '1.5550101', address: from(1) })).toBe(true);
  });

  test('are limited per address, whatever the number', async () => {
    const { limits } = setUp();
    const answers = [];
    for (const n of times(4)) answers.push(await limits.codeRequest({ ...ann, sid: `1.555020${n}` }));
    expect(answers).toEqual([true, true, true, false]);
  });

  test('an address that is refused does not use up the codes of others', async () => {
    const { limits } = setUp({
      LIMIT_CODE_REQUESTS_PER_ADDRESS: '1/60',
      LIMIT_CODE_REQUESTS_PER_NUMBER: '1/60',
    });
    await limits.codeRequest({ ...ann, sid: '1.5550999' });
    expect(await limits.codeRequest(ann)).toBe(false);
    expect(await limits.codeRequest({ ...ann, address: from(1) })).toBe(true);
  });

  test('that another core has used up do not count against the number in this core', async () => {
    const [one, other] = [setUp().limits, setUp().limits];
    for (const n of times(2)) expect(await one.codeRequest({ ...ann, address: from(n) })).toBe(true);
    for (const n of times(4)) expect(await other.codeRequest({ ...ann, address: from(n) })).toBe(false);
    // As when their time is over.
    await redis.del(...(await redis.keys(`${prefix}:limit:code_number:*`)));
    expect(await other.codeRequest({ ...ann, address: from(5) })).toBe(true);
  });

  test('are counted by all cores together', async () => {
    const [one, other] = [setUp().limits, setUp().limits];
    const answers = await Promise.all(
      [one, other, one, other].map((limits, n) => limits.codeRequest({ ...ann, address: from(n) })),
    );
    expect(answers.filter(Boolean)).toHaveLength(2);
  });
});

test('wrong codes are limited per address, right ones are not', async () => {
  const { limits } = setUp();
  for (const _ of times(5)) expect(await limits.submitAllowed(ann)).toBe(true);
  await limits.submitFailed(ann);
  expect(await limits.submitAllowed(ann)).toBe(true);
  await limits.submitFailed(ann);
  expect(await limits.submitAllowed(ann)).toBe(false);
  expect(await limits.submitAllowed({ ...ann, address: from(1) })).toBe(true);
});

describe('sign-ins', () => {
  test('that succeed are not limited', async () => {
    const { limits } = setUp();
    for (const _ of times(20)) expect(await limits.signIn(ann, true)).toBe(true);
    const atOnce = await Promise.all(times(1000).map(() => limits.signIn(ann, true)));
    expect(atOnce).not.toContain(false);
  });

  test('that fail lock the number for that address, and for no other', async () => {
    const { limits } = setUp();
    const answers = [];
    for (const _ of times(3)) {
      answers.push(await limits.signIn(ann, false));
    }
    expect(answers).toEqual([true, true, false]);
    expect(await limits.signIn({ ...ann, address: from(1) }, false)).toBe(true);
    expect(await limits.signIn({ ...ann, sid: '1.5550101' }, false)).toBe(true);
  });

  test('a thousand guesses at once are no more than the limit', async () => {
    const { limits } = setUp();
    const answers = await Promise.all(times(1000).map(() => limits.signIn(ann, false)));
    expect(answers.filter(Boolean)).toHaveLength(2);
  });

  test('with the right code after as many guesses as the limit are refused, also all at once and on two cores', async () => {
    const [one, other] = [setUp().limits, setUp().limits];
    const guesses = times(20).map((n) => (n % 2 ? one : other).signIn(ann, false));
    const rights = await Promise.all([...guesses, one.signIn(ann, true), other.signIn(ann, true)]);
    expect(rights.filter(Boolean)).toHaveLength(2);
    expect(rights.slice(-2)).toEqual([false, false]);
  });

  test('many users behind one address can all sign in at once', async () => {
    const { limits } = setUp();
    const people = times(100).map((n) => ({ ...ann, sid: `1.${5550000 + n}` }));
    const answers = await Promise.all(people.map((person) => limits.signIn(person, true)));
    expect(answers).not.toContain(false);
  });

  test('that fail for many numbers lock the address out', async () => {
    const { limits } = setUp();
    for (const n of times(5)) {
      expect(await limits.signIn({ ...ann, sid: `1.555030${n}` }, false)).toBe(true);
    }
    expect(await limits.signIn({ ...ann, sid: '1.5550399' }, false)).toBe(false);
  });

  test('that fail from everywhere lock the number, but not those of an address that is refused itself', async () => {
    const { limits } = setUp();
    for (const _ of times(50)) await limits.signIn(ann, false);
    const answers = [];
    for (const n of times(5)) answers.push(await limits.signIn({ ...ann, address: from(n) }, false));
    expect(answers).toEqual([true, true, true, true, false]);
  });

  test('all of a /64 network count as one address', async () => {
    const { limits } = setUp();
    const answers = [];
    for (const n of times(3)) answers.push(await limits.signIn({ ...ann, address: `2001:db8::${n}` }, false));
    expect(answers).toEqual([true, true, false]);
  });

  test('without a known address are limited per number only', async () => {
    const { limits } = setUp();
    const answers = [];
    for (const _ of times(7)) answers.push(await limits.signIn({ ...ann, address: '' }, false));
    expect(answers).toEqual([true, true, true, true, true, true, false]);
  });
});

test('what is refused is counted', async () => {
  const { limits, metrics } = setUp();
  for (const _ of times(3)) await limits.signIn(ann, false);
  expect(await metrics.text()).toContain(
    'hooligram_limits_refused_total{limit="sign_in_pair",role="core"} 1',
  );
});

test('no number and no address is stored in Redis, and every key expires', async () => {
  const { limits } = setUp();
  await limits.codeRequest(ann);
  await limits.submitFailed(ann);
  await limits.signIn(ann, false);
  const keys = await redis.keys(`${prefix}:*`);
  expect(keys).toHaveLength(6);
  expect(keys.join('\n')).not.toMatch(/5550100|203\.0/);
  for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(0);
});

test('LIMITS_ENABLED=false limits nothing and does not use Redis', async () => {
  const { limits } = setUp({ LIMITS_ENABLED: 'false' });
  for (const _ of times(10)) expect(await limits.signIn(ann, false)).toBe(true);
  expect(await redis.keys(`${prefix}:*`)).toEqual([]);
});

describe('without Redis each core counts for itself, and that is counted', () => {
  test('when it is not connected', async () => {
    const { limits, metrics } = setUp({}, client('redis://127.0.0.1:1'));
    const codes = [];
    for (const _ of times(4)) codes.push(await limits.codeRequest(ann));
    expect(codes).toEqual([true, true, false, false]);
    const submits = [];
    for (const _ of times(3)) {
      submits.push(await limits.submitAllowed(ann));
      await limits.submitFailed(ann);
    }
    expect(submits).toEqual([true, true, false]);
    const text = await metrics.text();
    expect(text).toContain('hooligram_limits_skipped_total{limit="code_number",role="core"} 2');
    expect(text).toContain('hooligram_limits_refused_total{limit="code_number",role="core"} 1');
  });

  test('a thousand guesses at once are no more than the limit, and sign-ins with the right code are not limited', async () => {
    const { limits } = setUp({}, client('redis://127.0.0.1:1'));
    const answers = await Promise.all(times(1000).map(() => limits.signIn(ann, false)));
    expect(answers.filter(Boolean)).toHaveLength(2);
    const bob = { ...ann, sid: '1.5550101' };
    for (const _ of times(20)) {
      expect(await limits.signIn(bob, true)).toBe(true);
    }
  });

  test('when it has stopped answering: what passed before counts, and no more than the limit passes after', async () => {
    const url = await redisUrl();
    const proxy = await FaultyTcpProxy.start(url);
    const frozen = client(proxy.urlOf(url));
    await frozen.connect();
    const { limits, metrics } = setUp({}, frozen);
    expect(await limits.signIn(ann, false)).toBe(true);
    // Whatever is sent from now on does not reach Redis.
    proxy.hold('');
    const answers = await Promise.all(times(1000).map(() => limits.signIn(ann, false)));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await limits.signIn({ ...ann, sid: '1.5550101' }, false)).toBe(true);
    expect(await metrics.text()).toContain(
      'hooligram_limits_skipped_total{limit="sign_in_pair",role="core"} 2',
    );
    frozen.disconnect();
    await proxy.stop();
  });

  test('until their time is over', async () => {
    const { limits } = setUp({ LIMIT_CODE_REQUESTS_PER_NUMBER: '2/1' }, client('redis://127.0.0.1:1'));
    const askedAt = performance.now();
    let asked = 0;
    while (await limits.codeRequest({ ...ann, address: from(asked) })) asked += 1;
    expect(asked).toBe(2);
    while (!(await limits.codeRequest({ ...ann, address: '' })));
    expect(performance.now() - askedAt).toBeGreaterThanOrEqual(1_000);
  });
});

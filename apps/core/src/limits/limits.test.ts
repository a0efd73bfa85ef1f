import { createLog, createMetrics, readConfig } from '@hooligram/service';
import { freshPrefix, redisUrl } from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createCredentials } from '../verification/credential.ts';
import { limitsConfig } from './config.ts';
import { createLimits, type Limits } from './index.ts';
import type { Familiarity, Source } from './source.ts';

const tight = {
  LIMIT_GUESSES_PER_NUMBER: '6/60',
  LIMIT_GUESSES_FIRST_OF_NETWORK: '2/60',
  LIMIT_GUESSES_RESERVE: '3/60',
  LIMIT_GUESSES_PER_NUMBER_AND_SOURCE: '2/60',
  LIMIT_GUESSES_PER_SOURCE: '10/60',
  LIMIT_GUESSED_NUMBERS_PER_SOURCE: '4/60',
  LIMIT_LOOKUPS_PER_SOURCE: '5/60',
  LIMIT_TEXTS_PER_NUMBER: '3/60',
  LIMIT_TEXTS_FIRST_OF_NETWORK: '2/60',
  LIMIT_TEXTS_RESERVE: '2/60',
  LIMIT_TEXTS_PER_NUMBER_AND_SOURCE: '2/60',
  LIMIT_TEXTS_PER_SOURCE: '4/60',
  LIMIT_TEXTS_PER_PREFIX: '5/60',
  LIMIT_TEXTS_PER_COUNTRY_CODE: '15/60',
  LIMIT_TEXTS: '20/60',
  LIMIT_TEXTS_UNCONVERTED: '7/60',
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
  const texts: string[] = [];
  const log = createLog({ name: 'core', destination: { write: (text) => void texts.push(text) } });
  const config = readConfig(limitsConfig, { ...tight, ...env });
  const credentials = createCredentials(['k'.repeat(32)]);
  const shard = { redis: { command: using }, names: { limits: `${prefix}:limit` } };
  return {
    limits: createLimits(config, credentials, { shardOf: () => shard, metrics, log }),
    metrics,
    lines: () => texts.map((text) => JSON.parse(text)),
  };
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
const from = (n: number) => `198.51.${n}.1`;
const unknown = async () => false;
const known = async () => true;

/** A sign-in with a code. @returns whether it was told whether the code is right */
async function guess(
  { guesses }: Limits,
  source: Source,
  isRight = false,
  isKnown = unknown,
): Promise<boolean> {
  const allowed = await guesses.allow(source, isKnown);
  if ('seconds' in allowed) return false;
  if ('seconds' in (await guesses.tell(source, allowed.budget, isRight))) return false;
  if (isRight) await guesses.succeeded(source, allowed.budget);
  return true;
}

/** A submission of a code. @returns whether it was compared */
async function submit({ guesses }: Limits, source: Source, isRight = false): Promise<boolean> {
  const allowed = await guesses.allow(source, unknown);
  if ('seconds' in allowed) return false;
  const taken = await guesses.take(source, allowed.budget);
  if ('seconds' in taken) return false;
  if (isRight) {
    await taken.giveBack();
    await guesses.succeeded(source, allowed.budget);
  }
  return true;
}

const text = async ({ texts }: Limits, source: Source, familiarity: Familiarity = 'nobody') =>
  !('seconds' in (await texts.take(source, async () => familiarity)));

async function inTurn(count: number, once: (n: number) => Promise<boolean>): Promise<boolean[]> {
  const answers = [];
  for (const n of times(count)) answers.push(await once(n));
  return answers;
}

const first = (allowed: number, of: number) => times(of).map((n) => n < allowed);

describe('guesses', () => {
  test('are bounded for a number and a source, for a number from all sources, and for no other number', async () => {
    const { limits } = setUp();
    expect(await inTurn(4, () => guess(limits, ann))).toEqual(first(2, 4));
    // What was refused for its source used up nothing of the number.
    expect(await inTurn(8, (n) => guess(limits, { ...ann, address: from(n) }))).toEqual(first(6, 8));
    expect(await guess(limits, { sid: '1.5550101', address: from(50) })).toBe(true);
  });

  test('at sign-ins and at submissions use the same budget', async () => {
    const { limits } = setUp();
    expect(await submit(limits, ann)).toBe(true);
    expect(await guess(limits, ann)).toBe(true);
    expect([await submit(limits, ann), await guess(limits, ann, true)]).toEqual([false, false]);
  });

  test('say how long to wait', async () => {
    const { limits } = setUp();
    await inTurn(2, () => guess(limits, ann));
    const allowed = await limits.guesses.allow(ann, unknown);
    expect('seconds' in allowed ? allowed.seconds : 0).toBeGreaterThan(50);
    expect('seconds' in allowed ? allowed.seconds : 99).toBeLessThanOrEqual(60);
  });

  test('of strangers do not lock a number out of a network in which it signed in before; its own reserve is bounded, too', async () => {
    const { limits } = setUp();
    await inTurn(9, (n) => guess(limits, { ...ann, address: from(n) }));
    const owner = { ...ann, address: from(99) };
    expect(await guess(limits, owner, true)).toBe(false);
    expect(await guess(limits, owner, true, known)).toBe(true);
    expect(await inTurn(5, () => guess(limits, owner, false, known))).toEqual(first(3, 5));
    expect(await guess(limits, owner, true, known)).toBe(false);
  });

  test('of strangers who have used up what a number has for everybody leave it the first one of other networks', async () => {
    const { limits } = setUp();
    await inTurn(6, (n) => guess(limits, { ...ann, address: from(n >> 1) }));
    // A network has one of them, from however many addresses.
    expect(await inTurn(4, (n) => guess(limits, { ...ann, address: `198.51.100.${n}` }))).toEqual(
      first(1, 4),
    );
    const owner = { ...ann, address: from(99) };
    // A right one uses up nothing.
    expect(await inTurn(5, () => guess(limits, owner, true))).toEqual(first(5, 5));
    expect(await inTurn(2, () => guess(limits, owner))).toEqual(first(1, 2));
    expect(await guess(limits, { ...ann, address: from(98) }, true)).toBe(false);
  });

  test('at a code that was sent have their first one paid by the text: once, on all cores, however many come at once', async () => {
    const [one, other] = [setUp().limits.guesses, setUp().limits.guesses];
    const asked = await Promise.all(times(40).map((n) => (n % 2 ? one : other).takeFirstOfText('a')));
    expect(asked.filter(Boolean)).toHaveLength(1);
    expect(await one.takeFirstOfText('a')).toBeUndefined();
    expect(await one.takeFirstOfText('b')).toBeDefined();
  });

  test('of a neighbour who has used up the guesses of the network do not lock a number out that signed in there', async () => {
    const { limits } = setUp({ LIMIT_LOOKUPS_PER_SOURCE: '99/60' });
    await inTurn(12, (n) => guess(limits, { ...ann, sid: `1.555020${n % 4}` }));
    expect(await guess(limits, ann, true)).toBe(false);
    expect(await guess(limits, ann, true, known)).toBe(true);
  });

  test('of thousands at once are no more than the budget, and a right one behind them is not told', async () => {
    const { limits } = setUp();
    const answers = await Promise.all([
      ...times(200).map(() => guess(limits, ann)),
      guess(limits, ann, true),
    ]);
    expect(answers.filter(Boolean)).toHaveLength(2);
    expect(answers.at(-1)).toBe(false);
    const submitted = await Promise.all(times(200).map(() => submit(limits, { ...ann, address: from(1) })));
    expect(submitted.filter(Boolean)).toHaveLength(2);
  });

  test('that are refused, of a source or at a number that has none left, cost Redis and the database nothing', async () => {
    const counting = client(await redisUrl());
    await counting.connect();
    const { limits } = setUp({}, counting);
    const stranger = { ...ann, address: from(20) };
    let lookups = 0;
    const looked = async () => {
      lookups += 1;
      return false;
    };
    // Until the source has none left, then the number, and until none of them may have the number looked up.
    await inTurn(10, () => guess(limits, ann, false, looked));
    await inTurn(10, (n) => guess(limits, { ...ann, address: from(n) }));
    await inTurn(10, () => guess(limits, stranger, false, looked));
    const before = lookups;
    let commands = 0;
    const send = counting.sendCommand.bind(counting);
    counting.sendCommand = (...given) => {
      commands += 1;
      return send(...given);
    };
    for (const source of [ann, stranger]) expect(await guess(limits, source, true, looked)).toBe(false);
    expect([commands, lookups - before]).toEqual([0, 0]);
  });

  test('at a further number, of a source that has guessed at many, cost Redis one question', async () => {
    const counting = client(await redisUrl());
    await counting.connect();
    const { limits } = setUp({}, counting);
    let lookups = 0;
    const looked = async () => {
      lookups += 1;
      return false;
    };
    const at = (n: number) => guess(limits, { ...ann, sid: `1.55560${n}` }, false, looked);
    expect(await inTurn(9, at)).toEqual(first(4, 9));
    let commands = 0;
    const send = counting.sendCommand.bind(counting);
    counting.sendCommand = (...given) => {
      commands += 1;
      return send(...given);
    };
    const before = lookups;
    expect(await at(20)).toBe(false);
    // What it knows of the number and the source: GET and PTTL in one transaction.
    expect(commands).toBeLessThanOrEqual(4);
    expect(lookups).toBe(before);
  });

  test('on several cores are counted together', async () => {
    const [one, other] = [setUp().limits, setUp().limits];
    expect(await inTurn(4, (n) => guess(n % 2 ? one : other, ann))).toEqual(first(2, 4));
  });

  test('that are right count nothing, however many there are at once, and free what the source got wrong before', async () => {
    const { limits } = setUp();
    const atOnce = await Promise.all(times(50).map(() => guess(limits, ann, true)));
    expect(atOnce).not.toContain(false);
    for (const _ of times(2)) {
      expect(await guess(limits, ann)).toBe(true);
      expect(await submit(limits, ann, true)).toBe(true);
    }
    expect(await inTurn(3, () => guess(limits, ann))).toEqual(first(2, 3));
  });

  test('at 200 numbers, known or not, leave keys in Redis for the few that a source may guess at, in turn or all at once', async () => {
    const { limits } = setUp();
    const keys = async () => (await redis.keys(`${prefix}:*`)).length;
    const at = (n: number) => guess(limits, { ...ann, sid: `1.5556${n}` });
    // Each of 4 numbers has its own and that with the source; the source has its two networks, numbers and look-ups.
    await inTurn(200, at);
    expect(await keys()).toBe(4 * 2 + 4);
    prefix = freshPrefix();
    const fresh = setUp().limits;
    await Promise.all(times(200).map((n) => guess(fresh, { ...ann, sid: `1.5557${n}` })));
    expect(await keys()).toBeLessThanOrEqual(10 * 2 + 4);
  });

  test('for many numbers lock a source out of further ones, and not of its own', async () => {
    const { limits } = setUp();
    expect(await inTurn(5, (n) => guess(limits, { ...ann, sid: `1.555030${n}` }))).toEqual(first(4, 5));
    expect(await guess(limits, { ...ann, sid: '1.5550300' }, true)).toBe(true);
  });

  test.each([
    ['an IPv4 /24', (n: number) => `203.0.113.${n}`, 8],
    ['an IPv6 /64', (n: number) => `2001:db8:0:1::${n}`, 2],
    ['an IPv6 /56', (n: number) => `2001:db8:0:${(0x100 + n).toString(16)}::1`, 8],
    ['an IPv6 /48', (n: number) => `2001:db8:0:${(n * 0x100).toString(16)}::1`, 32],
  ])('from %s have a budget of their own', async (_network, addressOf, budget) => {
    const { limits } = setUp({
      LIMIT_GUESSED_NUMBERS_PER_SOURCE: '999/60',
      LIMIT_GUESSES_PER_SOURCE: '2/60',
    });
    const told = await inTurn(budget + 3, (n) =>
      guess(limits, { sid: `1.${5550000 + n}`, address: addressOf(n % 200) }),
    );
    expect(told).toEqual(first(budget, budget + 3));
  });

  test('without a known address are bounded for the number only', async () => {
    const { limits } = setUp();
    expect(await inTurn(8, () => guess(limits, { ...ann, address: '' }))).toEqual(first(6, 8));
  });

  test('of a source that has none left cost a bounded number of look-ups', async () => {
    const { limits } = setUp();
    await inTurn(2, () => guess(limits, ann));
    let lookups = 0;
    const isKnown = async () => {
      lookups += 1;
      return false;
    };
    await inTurn(20, () => guess(limits, ann, false, isKnown));
    expect(lookups).toBe(5);
  });
});

describe('texts', () => {
  test('are bounded for a number and a source, and for a number from all sources', async () => {
    const { limits } = setUp();
    expect(await inTurn(3, () => text(limits, ann))).toEqual(first(2, 3));
    expect(await inTurn(5, (n) => text(limits, { ...ann, address: from(n) }))).toEqual(first(3, 5));
  });

  test('that strangers have asked for leave a number the first one of other networks', async () => {
    const { limits } = setUp();
    await inTurn(3, (n) => text(limits, { ...ann, address: from(n >> 1) }));
    expect(await inTurn(3, (n) => text(limits, { ...ann, address: `198.51.100.${n}` }))).toEqual(first(1, 3));
    expect(await text(limits, { ...ann, address: from(99) })).toBe(true);
    expect(await text(limits, { ...ann, address: from(98) })).toBe(false);
  });

  test('that strangers request for neighbouring numbers, or never submit, do not keep a code from a number that was verified before', async () => {
    const { limits } = setUp();
    const strangers = (n: number) => text(limits, { sid: `1.55501${10 + n}`, address: from(n) });
    expect(await inTurn(6, strangers)).toEqual(first(5, 6));
    expect(await text(limits, { ...ann, address: from(98) })).toBe(false);
    expect(await text(limits, { ...ann, address: from(99) }, 'user')).toBe(true);
    const elsewhere = (n: number) => text(limits, { sid: `${20 + n}.2345678`, address: from(20 + n) });
    expect(await inTurn(3, elsewhere)).toEqual(first(2, 3));
    expect(await text(limits, { sid: '31.2345678', address: from(97) }, 'user')).toBe(true);
  });

  test('that strangers have asked for leave some for networks in which the number signed in before', async () => {
    const { limits } = setUp();
    await inTurn(6, (n) => text(limits, { ...ann, address: from(n) }));
    expect(await inTurn(3, (n) => text(limits, { ...ann, address: from(90 + n) }, 'here'))).toEqual(
      first(2, 3),
    );
  });

  test('that were refused count nothing', async () => {
    const { limits } = setUp();
    await inTurn(20, () => text(limits, ann));
    expect(await text(limits, { ...ann, address: from(1) })).toBe(true);
    expect(await inTurn(3, (n) => text(limits, { ...ann, sid: `1.777010${n}` }))).toEqual(first(2, 3));
  });

  test('are bounded for a prefix, a country code and in all', async () => {
    const open = { LIMIT_TEXTS_UNCONVERTED: '999/60' };
    const { limits } = setUp(open);
    const to = (sidOf: (n: number) => string, at: number) => (n: number) =>
      text(limits, { sid: sidOf(n), address: from(at + n) });
    expect(
      await inTurn(
        7,
        to((n) => `979.12345${1000 + n}`, 0),
      ),
    ).toEqual(first(5, 7));
    expect(
      await inTurn(
        12,
        to((n) => `979.${20 + n}345${1000 + n}`, 20),
      ),
    ).toEqual(first(10, 12));
    expect(
      await inTurn(
        7,
        to((n) => `44.${20 + n}345${1000 + n}`, 40),
      ),
    ).toEqual(first(5, 7));
  });

  test('of new networks pause when too few codes are submitted; networks that submitted a right one go on', async () => {
    const { limits } = setUp({ LIMIT_TEXTS_UNCONVERTED: '7/60', LIMIT_TEXTS: '999/60' });
    const to = (n: number) => ({ sid: `${20 + n * 10}.${20 + n}345678`, address: from(n) });
    await limits.texts.converted(to(3));
    expect(await inTurn(9, (n) => text(limits, to(n + 10)))).toEqual(first(7, 9));
    expect(await text(limits, to(3))).toBe(true);
    // A right submission makes up for five of them.
    await limits.texts.converted(to(10));
    expect(await inTurn(7, (n) => text(limits, to(n + 30)))).toEqual(first(5, 7));
  });

  test('whose codes are submitted rightly do not count for the source: many people can sign up behind one address', async () => {
    const { limits } = setUp();
    const signUp = async (n: number) => {
      const source = { ...ann, sid: `1.${200 + n}5550100` };
      const isSent = await text(limits, source);
      if (isSent) await limits.texts.converted(source);
      return isSent;
    };
    expect(await inTurn(12, signUp)).toEqual(first(12, 12));
  });
});

test('what is refused is counted once, under the limit whose seconds are told, and logged with its network; what another budget allows is not refused', async () => {
  const { limits, metrics, lines } = setUp({ LIMIT_TEXTS_PER_PREFIX: '99/60' });
  const refused = async () =>
    Object.fromEntries(
      [...(await metrics.text()).matchAll(/limits_refused_total\{limit="(\w+)",.*\} ([1-9]\d*)/g)].map(
        ([, limit = '', count]) => [limit, Number(count)],
      ),
    );
  // The number's own are used up by the sixth, and the first of two further networks are told all the same.
  expect(await inTurn(8, (n) => guess(limits, { ...ann, address: from(n) }))).toEqual(first(8, 8));
  const home = { ...ann, address: from(90) };
  expect(await guess(limits, home, true, known)).toBe(true);
  expect(await inTurn(5, (n) => text(limits, { sid: '1.5560100', address: from(n) }))).toEqual(first(5, 5));
  expect(await refused()).toEqual({});
  expect(lines()).toEqual([]);

  expect(await guess(limits, home, true)).toBe(false);
  expect(await inTurn(4, () => guess(limits, { ...ann, sid: '1.5550101' }))).toEqual(first(2, 4));
  expect(await submit(limits, { ...ann, sid: '1.5550101' })).toBe(false);
  expect(await text(limits, { sid: '1.5560100', address: from(92) })).toBe(false);
  expect(await refused()).toEqual({ guess_number: 1, guess_pair: 3, text_number: 1 });
  expect(lines()).toMatchObject([
    { level: 'warn', limit: 'guess_number', source: '198.51.90.1' },
    { level: 'warn', limit: 'guess_pair', source: '203.0.113.1' },
    { level: 'warn', limit: 'text_number', source: '198.51.92.1' },
  ]);
});

test('no number and no address is stored in Redis, and every key expires', async () => {
  const { limits } = setUp();
  await text(limits, ann);
  await guess(limits, ann);
  const keys = await redis.keys(`${prefix}:*`);
  expect(keys.length).toBeGreaterThan(8);
  expect(keys.join('\n')).not.toMatch(/5550100|203\.0/);
  for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(0);
});

test('LIMITS_ENABLED=false limits nothing and does not use Redis', async () => {
  const { limits } = setUp({ LIMITS_ENABLED: 'false' });
  expect(await inTurn(10, () => guess(limits, ann))).toEqual(first(10, 10));
  expect(await inTurn(10, () => text(limits, ann))).toEqual(first(10, 10));
  expect(await redis.keys(`${prefix}:*`)).toEqual([]);
});

describe('without Redis each core counts for itself, and that is counted', () => {
  test('when it is not connected', async () => {
    const { limits, metrics } = setUp({}, client('redis://127.0.0.1:1'));
    expect(await inTurn(4, () => text(limits, ann))).toEqual(first(2, 4));
    const answers = await Promise.all(times(200).map(() => guess(limits, ann)));
    expect(answers.filter(Boolean)).toHaveLength(2);
    const bob = { ...ann, sid: '1.5550101' };
    expect(await inTurn(20, () => guess(limits, bob, true))).not.toContain(false);
    expect(await metrics.text()).toMatch(/limits_skipped_total\{limit="guess_pair",role="core"\} [1-9]/);
  });

  test('when it has stopped answering: what passed before counts, and no more than the limit passes after', async () => {
    const url = await redisUrl();
    const proxy = await FaultyTcpProxy.start(url);
    const frozen = client(proxy.urlOf(url));
    await frozen.connect();
    const { limits } = setUp({}, frozen);
    expect(await guess(limits, ann)).toBe(true);
    // Whatever is sent from now on does not reach Redis.
    proxy.hold('');
    const answers = await Promise.all(times(200).map(() => guess(limits, ann)));
    expect(answers.filter(Boolean)).toHaveLength(1);
    frozen.disconnect();
    await proxy.stop();
  });
});

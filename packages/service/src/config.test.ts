import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { ConfigError, configRule, joinConfig, readConfig, redacted } from './config.ts';
import { renderHelp } from './help.ts';
import { redisAddress, redisAddresses, withoutPasswords } from './redis-address.ts';
import { boolean, integer, milliseconds, port, redisUrl, redisUrls, url } from './variables.ts';

const schema = z.object({
  PORT: port().default(8080).describe('where clients connect'),
  WORKERS: integer({ min: 1, max: 64 }).describe('how many').default(2),
  ACK_TIMEOUT_MS: milliseconds({ min: 10 }).default(1_000),
  IS_OPEN: boolean().default(true),
  MODE: z.enum(['calm', 'loud']).default('calm').describe('how it speaks'),
  REDIS_URL: url(['redis', 'rediss']).describe('the bus'),
  CREDENTIAL_KEY: z.string().min(16).optional().describe('keys the hashes'),
});

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(schema, env, 'gateway');
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('readConfig', () => {
  test('turns text into typed values, and knows nothing but what the schema names', () => {
    const env = { PORT: '9', IS_OPEN: '0', ACK_TIMEOUT_MS: '250', REDIS_URL: 'redis://h:1/2', HOME: '/root' };
    expect(readConfig(schema, env)).toEqual({
      PORT: 9,
      WORKERS: 2,
      ACK_TIMEOUT_MS: 250,
      IS_OPEN: false,
      MODE: 'calm',
      REDIS_URL: 'redis://h:1/2',
    });
  });

  test('the config is frozen', () => {
    expect(Object.isFrozen(readConfig(schema, { REDIS_URL: 'redis://h' }))).toBe(true);
  });

  test('an empty variable counts as unset', () => {
    expect(readConfig(schema, { REDIS_URL: 'redis://h', PORT: '', CREDENTIAL_KEY: '' }).PORT).toBe(8080);
    expect(faultsOf({ REDIS_URL: '' })).toEqual(['gateway: REDIS_URL is required']);
  });

  test('every bad value is told at once, each in one line with its name and what was expected', () => {
    const env = { PORT: '65536', WORKERS: '0', ACK_TIMEOUT_MS: '1.5', IS_OPEN: 'yes', MODE: 'quiet' };
    expect(faultsOf(env)).toEqual([
      'gateway: PORT must be a port from 0 to 65535, not "65536"',
      'gateway: WORKERS must be an integer from 1 to 64, not "0"',
      'gateway: ACK_TIMEOUT_MS must be a number of milliseconds from 10 to 2147483647, not "1.5"',
      'gateway: IS_OPEN must be true or false, not "yes"',
      'gateway: MODE must be calm or loud, not "quiet"',
      'gateway: REDIS_URL is required',
    ]);
  });

  test.each(['1e3', ' 1', '0x10', '+1', '٣', '99999999999999999999'])('%j is not an integer', (text) => {
    expect(faultsOf({ REDIS_URL: 'redis://h', WORKERS: text })).toHaveLength(1);
  });

  test.each(['localhost', 'redis:h', 'http://h', 'redis//:pw@h'])('%j is not a Redis URL', (text) => {
    expect(faultsOf({ REDIS_URL: text })).toEqual([
      'gateway: REDIS_URL must be a URL that starts with redis:// or rediss://',
    ]);
  });

  test.each(['u:pa/ss@h', 'u:12#ss@h', 'u:12?ss@h', ':pa%@h'])(
    'redis://%s has a password that no URL can have, and the line says so without it',
    (rest) => {
      expect(faultsOf({ REDIS_URL: `redis://${rest}` })).toEqual([
        'gateway: REDIS_URL must have its password percent-encoded: / is %2F, ? is %3F, # is %23, % is %25',
      ]);
    },
  );

  test.each(['u:pa@ss@h', 'u:p%2F%40@h/0', ':p@h:1/0', 'u@h'])('redis://%s is taken', (rest) => {
    expect(faultsOf({ REDIS_URL: `redis://${rest}` })).toEqual([]);
  });

  test('the line about a bad secret does not contain it', () => {
    expect(faultsOf({ REDIS_URL: 'redis://h', CREDENTIAL_KEY: 'tooshort' })).toEqual([
      'gateway: CREDENTIAL_KEY must have at least 16 characters',
    ]);
  });
});

describe('joinConfig', () => {
  const pair = z.object({ FIRST: integer().optional(), SECOND: integer().optional() }).check(
    configRule<{ FIRST?: number | undefined; SECOND?: number | undefined }>((config, fault) => {
      if (config.SECOND === undefined) fault('SECOND', 'is required with FIRST');
    }),
  );
  const joined = joinConfig(z.object({ PORT: port() }), pair);

  test('keeps the rules across fields, and asks them even when a field is bad', () => {
    expect(() => readConfig(joined, { PORT: 'x', FIRST: '1' }, 'core')).toThrow(
      'core: PORT must be a port from 0 to 65535, not "x"\ncore: SECOND is required with FIRST',
    );
    expect(readConfig(joined, { PORT: '1', SECOND: '2' })).toEqual({ PORT: 1, SECOND: 2 });
  });

  test('a variable that is bad by itself gets one line only', () => {
    expect(() => readConfig(joined, { PORT: '1', SECOND: 'x' }, 'core')).toThrow(
      /^core: SECOND must be an integer of at least 0, not "x"$/,
    );
  });
});

test('what is printed at start hides keys, tokens, codes and passwords inside of URLs', () => {
  const config = {
    PORT: 8080,
    REDIS_URL: 'rediss://default:hunter2@redis.internal:6379/0',
    DATABASE_URL: 'postgresql://u@db/hooligram?sslmode=require&sslpassword=hunter2',
    CREDENTIAL_KEY: 'hunter2',
    TWILIO_AUTH_TOKEN: 'hunter2',
    VERIFICATION_FIXED_CODE: 'hunter2',
    KEY_PREFIX: 'test:',
    UNSET: undefined,
  };
  const text = JSON.stringify(redacted(config));
  expect(text).not.toContain('hunter2');
  expect(redacted(config)).toMatchObject({
    PORT: 8080,
    KEY_PREFIX: 'test:',
    REDIS_URL: 'rediss://default:***@redis.internal:6379/0',
  });
});

test('--help lists every variable with its default, its description and the words that it takes', () => {
  const help = renderHelp({ name: 'gateway', summary: 'holds the sockets', config: schema });
  expect(help).toContain('gateway: holds the sockets\n');
  expect(help).toMatch(/PORT {2,}default 8080 {2,}where clients connect\n/);
  expect(help).toMatch(/WORKERS {2,}default 2 {2,}how many\n/);
  expect(help).toMatch(/MODE {2,}default calm {2,}how it speaks \(calm, loud\)\n/);
  expect(help).toMatch(/REDIS_URL {2,}required {2,}the bus\n/);
  expect(help).toMatch(/CREDENTIAL_KEY {2,}optional, secret {2,}keys the hashes\n/);
});

describe('redisUrl', () => {
  const faultsOf = (REDIS_URL: string) => {
    try {
      readConfig(z.object({ REDIS_URL: redisUrl() }), { REDIS_URL }, 'core');
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  test.each([
    'redis://h',
    'rediss://u:p%40@h:1/2',
    'redis+sentinel://a,b:1,[::1]:2/3?name=n',
    'rediss+sentinel://u:p@a:1,b/?name=n&sentinel_password=s',
  ])('%s is taken', (text) => {
    expect(faultsOf(text)).toBe('');
  });

  test.each([
    ['redis+sentinel://a:1,b:2/', 'needs the name that its Sentinels give to Redis: …/?name=NAME'],
    ['redis+sentinel://a:1,:2/?name=n', 'must have hosts and ports: :2 is none'],
    ['redis+sentinel://a:1,b:99999/?name=n', 'must have hosts and ports: b:99999 is none'],
    [
      'redis+sentinel://u:p%@a:1/?name=n',
      'must have its password percent-encoded: / is %2F, ? is %3F, # is %23, % is %25',
    ],
    ['redis+sentinel://a/x?name=n', 'must be like redis+sentinel://host:26379,host:26379/?name=NAME'],
  ])('%s is refused', (text, reason) => {
    expect(faultsOf(text)).toBe(`core: REDIS_URL ${reason}`);
  });

  test('several hosts are printed with their password hidden', () => {
    const text = 'redis+sentinel://u:hunter2@a:1,b:2/0?name=n&sentinel_password=hunter2';
    expect(redacted({ REDIS_URL: text })).toEqual({
      REDIS_URL: 'redis+sentinel://u:***@a:1,b:2/0?name=n&sentinel_password=***',
    });
  });

  test('an address is logged without the passwords of Redis and of the Sentinels', () => {
    const text = 'redis+sentinel://u:hun@ter2@a:1,b:2/?name=n&sentinel_password=hunter2&sentinel_user=v';
    expect(withoutPasswords(text)).toBe(
      'redis+sentinel://***@a:1,b:2/?name=n&sentinel_password=***&sentinel_user=v',
    );
  });

  test('Sentinels, their account and that of Redis are told apart', () => {
    const { url, options } = redisAddress(
      'redis+sentinel://u:p%2F@a,b:2/3?name=n&sentinel_user=v&sentinel_password=w',
    );
    expect(url).toBeUndefined();
    expect(options).toMatchObject({
      sentinels: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 2 },
      ],
      ...{ name: 'n', db: 3, username: 'u', password: 'p/', sentinelUsername: 'v', sentinelPassword: 'w' },
    });
  });
});

describe('redisUrls', () => {
  const faultsOf = (REDIS_URL: string, variable: z.ZodType<string> = redisUrls()) => {
    try {
      readConfig(z.object({ REDIS_URL: variable }), { REDIS_URL }, 'core');
      return [];
    } catch (error) {
      return (error as ConfigError).faults;
    }
  };
  const list = 'redis://u:p,w@a:1/2,REDISS://b,redis+sentinel://c,d:2/?name=n,rediss+sentinel://e,f/?name=n';

  test('a comma parts two addresses only before a scheme', () => {
    expect(redisAddresses(list)).toEqual([
      'redis://u:p,w@a:1/2',
      'REDISS://b',
      'redis+sentinel://c,d:2/?name=n',
      'rediss+sentinel://e,f/?name=n',
    ]);
    expect(redisAddresses('redis://a')).toEqual(['redis://a']);
    expect(faultsOf(list)).toEqual([]);
  });

  test.each([
    ['redis://a,redis://u:pa/ss@h', 'must have its password percent-encoded'],
    ['redis://a,redis+sentinel://b:1,c:2/', 'needs the name that its Sentinels give to Redis'],
    ['redis://a,redis://b,redis://a', 'must not have the same address twice'],
  ])('%s is refused', (text, reason) => {
    expect(faultsOf(text)).toEqual([expect.stringContaining(`core: REDIS_URL ${reason}`)]);
  });

  test('a Redis Cluster is as many Redis as it has shards, also as one of several', () => {
    const text = 'redis://a,redis+cluster://u:p@b,c:1/?shards=2,rediss+cluster://d';
    expect(faultsOf(text)).toEqual([]);
    const addresses = redisAddresses(text);
    expect(addresses).toEqual([
      'redis://a',
      'redis+cluster://u:p@b,c:1/?shards=2&shard=0',
      'redis+cluster://u:p@b,c:1/?shards=2&shard=1',
      ...[0, 1, 2].map((shard) => `rediss+cluster://d?shard=${shard}`),
    ]);
    expect(addresses.flatMap(redisAddresses)).toEqual(addresses);
    const { cluster, options } = redisAddress(addresses[2] as string);
    const nodes = [
      { host: 'b', port: 6379 },
      { host: 'c', port: 1 },
    ];
    expect({ cluster, options }).toEqual({
      cluster: { nodes, shard: 1, shards: 2 },
      options: { username: 'u', password: 'p' },
    });
    expect(redisAddress(addresses[3] as string).options).toEqual({ tls: {} });
    expect(withoutPasswords(text)).toBe('redis://a,redis+cluster://***@b,c:1/?shards=2,rediss+cluster://d');
  });

  test.each([
    ['redis+cluster://a:1/?shards=1', 'must have from 2 to 64 shards: …/?shards=3'],
    ['redis+cluster://a:1/?shards=x', 'must have from 2 to 64 shards: …/?shards=3'],
    ['redis+cluster://a:1/1', 'must be like redis+cluster://host:6379,host:6379/?shards=3'],
    ['redis+cluster://a:1,:2', 'must have hosts and ports: :2 is none'],
    ['redis+cluster://a:1/?shards=3&shard=1', 'must be a whole Redis Cluster, without shard'],
  ])('%s is refused', (text, reason) => {
    expect(faultsOf(text)).toEqual([`core: REDIS_URL ${reason}`]);
  });

  test('where one Redis is meant, several are refused with a clear line', () => {
    expect(faultsOf('redis://a,redis://b', redisUrl())).toEqual([
      'core: REDIS_URL must be the address of one Redis',
    ]);
  });

  test('no password of a list is printed or logged', () => {
    const secret = 'redis://u:hunter2@a:1,redis+sentinel://v:hunter2@b,c/?name=n&sentinel_password=hunter2';
    expect(redacted({ REDIS_URL: secret })).toEqual({
      REDIS_URL: 'redis://u:***@a:1,redis+sentinel://v:***@b,c/?name=n&sentinel_password=***',
    });
    expect(withoutPasswords(secret)).toBe(
      'redis://***@a:1,redis+sentinel://***@b,c/?name=n&sentinel_password=***',
    );
  });
});

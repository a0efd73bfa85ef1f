import { afterAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { dropDatabase, freePorts, freshDatabase, freshPrefix, redisUrl } from './index.ts';

const opened: { end(): Promise<unknown> }[] = [];

afterAll(() => Promise.all(opened.map((connection) => connection.end())));

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  opened.push(client);
  await client.connect();
  return (await client.query(sql)).rows;
}

describe('the stores of a test run', () => {
  test('two fresh databases do not see each other', async () => {
    const [one, two] = await Promise.all([freshDatabase(), freshDatabase()]);
    await query(one, 'CREATE TABLE only_here (id int)');
    expect(await query(one, `SELECT to_regclass('only_here') AS found`)).toEqual([{ found: 'only_here' }]);
    expect(await query(two, `SELECT to_regclass('only_here') AS found`)).toEqual([{ found: null }]);
  });

  test('a database can be dropped under its open connections', async () => {
    const url = await freshDatabase();
    await query(url, 'SELECT 1');
    await dropDatabase(url);
    await expect(query(url, 'SELECT 1')).rejects.toThrow('does not exist');
  });

  test('redis evicts nothing and prefixes differ', async () => {
    const redis = new Redis(await redisUrl());
    opened.push({ end: () => redis.quit() });
    expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    expect(freshPrefix()).not.toBe(freshPrefix());
  });

  test('redis refuses what the tests beside it would feel', async () => {
    const redis = new Redis(await redisUrl());
    opened.push({ end: () => redis.quit() });
    await expect(redis.client('KILL', 'TYPE', 'PUBSUB')).rejects.toThrow('NOPERM');
    await expect(redis.flushall()).rejects.toThrow('NOPERM');
    await expect(redis.config('SET', 'maxmemory', '1')).rejects.toThrow('NOPERM');
  });

  test('free ports differ and lie below the range for outgoing connections', async () => {
    const ports = [...(await freePorts(4)), ...(await freePorts(4))];
    expect(new Set(ports).size).toBe(8);
    for (const port of ports) expect(port).toBeLessThan(32_768);
  });
});

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readConfig } from '@hooligram/service';
import { freePorts, startDebianRedis } from '@hooligram/testkit';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { configs } from './variables.ts';

type Service = {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  depends_on?: string[] | Record<string, object>;
  stop_grace_period?: string;
  healthcheck?: { test: string[] };
};

const users = fileURLToPath(new URL('../../../infra/redis/users.acl', import.meta.url));
const read = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../infra/docker/${name}`, import.meta.url)), 'utf8');
const { services } = parse(read('compose.yaml'), { merge: true }) as { services: Record<string, Service> };

/** What the image sets before compose.yaml does. */
const [, ofImage = ''] = /^ENV (.*)$/m.exec(read('Dockerfile')) ?? [];
const imageEnvironment = Object.fromEntries(ofImage.split(' ').map((each) => each.split('=')));

const programs = Object.entries(services).flatMap(([name, service]) => {
  const [role] = service.command ?? [];
  return service.image === 'hooligram' && (role === 'core' || role === 'gateway')
    ? [{ name, role, service } as const]
    : [];
});

test('compose.yaml runs gateways and cores', () => {
  expect(programs.map(({ name }) => name).sort()).toEqual(['core', 'gateway-1', 'gateway-2', 'gateway-3']);
});

describe.each(programs)('$name in compose.yaml', ({ role, service }) => {
  test('gets no variable that its program does not have, and each as it takes it', () => {
    const { environment = {} } = service;
    expect(Object.keys(environment).filter((key) => !(key in configs[role].shape))).toEqual([]);
    expect(() => readConfig(configs[role], { ...imageEnvironment, ...environment }, role)).not.toThrow();
  });

  test('is granted its stop, and five seconds', () => {
    const { STOP_TIMEOUT_MS } = readConfig(
      configs[role],
      { ...imageEnvironment, ...service.environment },
      role,
    );
    const graceSeconds = Number.parseInt(service.stop_grace_period ?? '10', 10);
    expect(graceSeconds).toBeGreaterThanOrEqual(Number(STOP_TIMEOUT_MS) / 1_000 + 5);
  });
});

test('whatever a service of compose.yaml waits for, or connects to, is a service of it', () => {
  const waitedFor = Object.values(services).flatMap(({ depends_on = [] }) =>
    Array.isArray(depends_on) ? depends_on : Object.keys(depends_on),
  );
  const values = Object.values(services).flatMap(({ environment = {} }) => Object.values(environment));
  const hosts = values.flatMap((value) => /(?:@|redis:\/\/|^)([a-z][\w-]*):\d+/.exec(value)?.[1] ?? []);
  const scraped = [...read('prometheus.yml').matchAll(/"([\w-]+):\d+"/g)].map(([, host]) => host);
  expect(hosts.length).toBeGreaterThan(5);
  expect([...waitedFor, ...hosts, ...scraped].filter((name) => !services[name ?? ''])).toEqual([]);
});

test('the Redis of compose.yaml, with its list of users, lets the programs in as theirs, and nobody else', async () => {
  const { command = [], healthcheck } = services.redis ?? ({} as Service);
  const [port = 0] = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), 'hooligram-compose-redis-'));
  const redis = await startRedis([...command.slice(1), '--port', String(port), '--dir', folder], folder);
  const here = (url: string) => url.replace(/@[\w.]+:\d+/, `@127.0.0.1:${port}`);
  const ping = async (url: string) => (await run('redis-cli', ['-u', here(url), 'ping'])).stdout.trim();
  try {
    const urls = new Set(
      programs
        .flatMap(({ service }) => service.environment?.REDIS_URL ?? [])
        .concat(healthcheck?.test.filter((word) => word.startsWith('redis://')) ?? []),
    );
    expect(urls.size).toBe(3);
    for (const url of urls) expect(await ping(url)).toBe('PONG');
    expect(await ping('redis://core:another@redis:6379')).not.toBe('PONG');
    expect(await ping('redis://default@redis:6379')).not.toBe('PONG');
  } finally {
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

const run = promisify(execFile);

/** As the service does, but with the list of the repository where it is. */
function startRedis(args: readonly string[], folder: string) {
  const here = args.map((arg) => (arg === '/etc/redis/users.acl' ? users : arg));
  return startDebianRedis('redis-of-compose', here, folder);
}

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readConfig } from '@hooligram/service';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { configs } from './variables.ts';

type Service = {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  depends_on?: string[] | Record<string, object>;
  stop_grace_period?: string;
};

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

import { patienceMs, startSystem, type TestSystem } from '@hooligram/testkit';
import { FaultyWebSocketProxy } from '@hooligram/testkit/proxies';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { allChecks, fixedCode, runConformance } from '../src/index.ts';
import { brokenServers } from './broken-servers.ts';

type Found = Awaited<ReturnType<typeof outcomes>>;

/** Most of the time is spent waiting for what a broken server never says. */
const triedAtOnce = 6;

/** In this time a broken server has to send what it must not, also on a busy machine. */
const quietMs = 2_000;

let system: TestSystem;
const foundOf = new Map<unknown, Found>();

beforeAll(async () => {
  system = await startSystem({ gateways: 1, cores: 1 });
  const left = [...brokenServers];
  const tryOneAfterTheOther = async () => {
    for (let server = left.pop(); server; server = left.pop()) {
      const [, checks, faults] = server;
      const proxy = await FaultyWebSocketProxy.start(system.gateway(0).url, faults);
      foundOf.set(faults, await outcomes(proxy.url, checks, 700));
      proxy.stop();
    }
  };
  await Promise.all(Array.from({ length: triedAtOnce }, tryOneAfterTheOther));
});

afterAll(() => system?.stop());

/** @param timeoutMs how long a check waits for what a broken server never says */
async function outcomes(url: string, only: readonly string[], timeoutMs: number) {
  const results = await runConformance({
    url,
    codeOf: fixedCode('000000'),
    only,
    timeoutMs,
    quietMs,
  });
  return results.map(({ topic, name, outcome, reasons }) => ({
    check: `${topic}/${name}`,
    outcome,
    reasons,
  }));
}

describe('a server that', () => {
  test.each(brokenServers)('%s fails %j', (_, checks, faults) => {
    const found = foundOf.get(faults) ?? [];
    expect(found.map(({ check }) => check).sort()).toEqual([...checks].sort());
    for (const { check, outcome, reasons } of found) {
      expect([check, outcome]).toEqual([check, 'failed']);
      expect(reasons.join()).not.toBe('');
    }
  });

  test('stands behind a proxy that changes nothing passes the same checks', async () => {
    const proxy = await FaultyWebSocketProxy.start(system.gateway(0).url, {});
    const checks = new Set(brokenServers.flatMap(([, names]) => names));
    const found = await outcomes(proxy.url, [...checks], patienceMs);
    proxy.stop();
    expect(found.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
    expect(found).toHaveLength(checks.size);
  });
});

test('every topic has a check that a broken server is seen to fail', () => {
  const topicsSeen = new Set(brokenServers.flatMap(([, names]) => names.map((name) => name.split('/')[0])));
  const unseen = allChecks.map(({ topic }) => topic).filter((topic) => !topicsSeen.has(topic));
  expect(unseen).toEqual([]);
});

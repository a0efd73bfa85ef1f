import { connect, patienceMs, startSystem, type TestSystem } from '@hooligram/testkit';
import { type Haproxy, startHaproxy } from '@hooligram/testkit/balancers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fixedCode, runConformance } from '../src/index.ts';
import { unpassed } from './unpassed.ts';

let system: TestSystem;
let haproxy: Haproxy;

beforeAll(async () => {
  system = await startSystem({
    gateways: 2,
    cores: 1,
    // Some checks verify a number twice in a minute.
    env: { LIMITS_ENABLED: 'true', LIMIT_TEXTS_PER_NUMBER_AND_SOURCE: '5/60' },
    gatewayEnv: { TRUSTED_PROXIES: '127.0.0.1', DRAIN_SECONDS: '1' },
  });
  haproxy = await startHaproxy(system.gateways);
}, 300_000);

afterAll(async () => {
  await haproxy?.stop();
  await system?.stop();
});

test('our gateways pass every check behind HAProxy, within the limits of a production', async () => {
  let codes = 0;
  const codeOf = (sid: string) => {
    codes += 1;
    return fixedCode('000000')(sid);
  };
  expect(
    unpassed(await runConformance({ url: haproxy.url, codeOf, timeoutMs: patienceMs })).filter(
      (text) => !/--slow/.test(text),
    ),
  ).toEqual([]);
  expect(codes).toBeLessThan(30);
});

test('a client cannot choose the address that HAProxy tells the gateways', async () => {
  const addressOfNobody = '203.0.113.7';
  const client = await connect(haproxy.url, { headers: { 'X-Forwarded-For': addressOfNobody } });
  // With a limit of its own this address would have tries of its own; ours has 3 a day.
  const wrong = { country_code: '888', phone_number: '12345550100', verification_code: '111111' };
  for (let tries = 0; tries < 3; tries += 1) await client.request('AUTHORIZATION_SIGN_IN', wrong);
  const direct = await connect(haproxy.url);
  const refused = await direct.request('AUTHORIZATION_SIGN_IN', wrong);
  expect(refused.payload.errors).toEqual([expect.stringMatching(/^too many attempts: try again in \d+ s$/)]);
  await Promise.all([client.close(), direct.close()]);
});

test('a gateway that stops gets nobody new, and closes its clients through HAProxy with 1012', async () => {
  const clients = await Promise.all(Array.from({ length: 6 }, () => connect(haproxy.url)));
  const stopping = system.gateway(0).stop();
  await Promise.race(clients.map(({ closed }) => closed));
  const fresh = await Promise.all(Array.from({ length: 6 }, () => connect(haproxy.url)));
  await stopping;
  for (const client of fresh) await client.roundTrip();
  const codes: number[] = [];
  for (const client of clients) {
    void client.closed.then(({ code }) => codes.push(code));
    await client.roundTrip().catch(() => undefined);
  }
  expect(codes.length).toBeGreaterThan(0);
  expect(new Set(codes)).toEqual(new Set([1012]));
  await Promise.all([...fresh, ...clients].map((client) => client.close()));
});

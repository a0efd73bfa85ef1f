import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, makeCertificate, patienceMs, startSystem, type TestSystem } from '@hooligram/testkit';
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
    env: {
      LIMITS_ENABLED: 'true',
      // Some checks verify a number twice in a minute, and all of them sign in with a few numbers.
      LIMIT_TEXTS_PER_NUMBER_AND_SOURCE: '5/60',
      LIMIT_SIGN_INS_PER_USER: '1000/120',
    },
    // All checks ask for their codes from one address, in a few seconds.
    gatewayEnv: {
      TRUSTED_PROXIES: '127.0.0.1',
      DRAIN_SECONDS: '1',
      LIMIT_CODE_REQUESTS_PER_ADDRESS: '100/20',
    },
  });
  haproxy = await startHaproxy(system.gateways);
});

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

test('over TLS HAProxy has browsers stay with TLS, and serves the page beside the gateways', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hooligram-page-'));
  const server = createServer((_, response) => response.end('the page')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const page = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { certFile, keyFile } = await makeCertificate(folder, 'site');
  const [pemFile, ca] = [join(folder, 'site.pem'), readFileSync(certFile, 'utf8')];
  writeFileSync(pemFile, ca + readFileSync(keyFile, 'utf8'));
  const [secure, plain] = await Promise.all([
    startHaproxy(system.gateways, { pemFile, page }),
    startHaproxy(system.gateways, { page }),
  ]);
  try {
    const client = await connect(secure.url, { ca });
    await client.roundTrip();
    await client.close();
    expect(await headersOf(secure.url, ca)).toMatchObject({
      'strict-transport-security': 'max-age=63072000',
      'content-security-policy': "frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    });
    const { headers } = await fetch(plain.url.replace(/^ws(.*)v2$/, 'http$1'));
    expect(headers.get('strict-transport-security')).toBeNull();
    expect(headers.get('content-security-policy')).toBe("frame-ancestors 'none'");
  } finally {
    await Promise.all([secure.stop(), plain.stop()]);
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Of the page beside that address of gateways. */
async function headersOf(url: string, ca: string): Promise<IncomingHttpHeaders> {
  const request = get(url.replace(/^wss(.*)v2$/, 'https$1'), { ca, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  expect(response.statusCode).toBe(200);
  return response.headers;
}

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

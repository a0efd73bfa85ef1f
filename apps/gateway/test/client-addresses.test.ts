import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOrInstall, findProgram, RunningProcess, whenReady } from '@hooligram/local';
import { connect, freePorts, patienceMs, type ServiceProcess } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Fixture, metric } from './fixture.ts';
import { ask, upgradeRequest } from './raw-http.ts';

let fixture: Fixture;
let haproxy: RunningProcess;
const folder = mkdtempSync(join(tmpdir(), 'hooligram-addresses-'));
/** Each way in which HAProxy tells the client's address, with the port that it listens on. */
const ports = { forwardfor: 0, replaced: 0, proxy: 0, both: 0 };
type Way = keyof typeof ports;

beforeAll(async () => {
  fixture = await Fixture.start({ TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' }, {});
  const free = await freePorts(4);
  for (const [at, way] of (Object.keys(ports) as Way[]).entries()) ports[way] = free[at] ?? 0;
  haproxy = await startHaproxy(new URL(fixture.system.gateway(0).url).host);
});

afterAll(async () => {
  await haproxy?.stop();
  await fixture?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** One that takes clients from every address: a test names it in X-Source. */
async function startHaproxy(gateway: string): Promise<RunningProcess> {
  const config = join(folder, 'haproxy.cfg');
  const told: Record<Way, readonly [rule: string, server: string]> = {
    forwardfor: ['option forwardfor', ''],
    replaced: ['http-request set-header X-Forwarded-For %[src]', ''],
    proxy: ['', 'send-proxy-v2'],
    both: ['option forwardfor', 'send-proxy-v2'],
  };
  const sections = (Object.keys(ports) as Way[]).map((way) =>
    [
      `listen ${way}`,
      `bind 127.0.0.1:${ports[way]}`,
      'http-request set-src hdr(X-Source)',
      told[way][0],
      `server gateway ${gateway} ${told[way][1]}`,
    ].join('\n  '),
  );
  const defaults = 'defaults\n  mode http\n  timeout connect 60s\n  timeout client 60s\n  timeout server 60s';
  writeFileSync(config, `${[defaults, ...sections].join('\n')}\n`);
  const spec = {
    name: 'haproxy',
    command: await findOrInstall({
      name: 'haproxy',
      find: () => findProgram('haproxy'),
      debianPackage: 'haproxy',
    }),
    args: ['-db', '-f', config],
    env: process.env,
    logFile: join(folder, 'haproxy.log'),
    stopSignal: 'SIGUSR1',
    stopTimeoutMs: 2_000,
    detached: false,
  } as const;
  const started = await RunningProcess.start(spec);
  const isReady = async () => (await fetch(`http://127.0.0.1:${ports.replaced}/v2`)).status === 426;
  await whenReady(spec, started, { isReady, readyTimeoutMs: patienceMs });
  return started;
}

/** The address that the core is told when somebody who connects like that signs in. */
async function toldAddress(url: string, headers: Record<string, string>): Promise<string> {
  const client = await connect(url, { headers });
  const request = await fixture.requestSignIn(client, fixture.user());
  await request.refuse('invalid credential');
  client.terminate();
  return request.params.address;
}

const through = (way: Way, source: string, claimed?: string) =>
  toldAddress(`ws://127.0.0.1:${ports[way]}/v2`, {
    'X-Source': source,
    ...(claimed === undefined ? {} : { 'X-Forwarded-For': claimed }),
  });

test.each(Object.keys(ports) as Way[])(
  'the core is told the client behind HAProxy, whatever the client says of itself: %s',
  async (way) => {
    expect(await through(way, '203.0.113.7')).toBe('203.0.113.7');
    expect(await through(way, '203.0.113.8', '198.51.100.1')).toBe('203.0.113.8');
    expect(await through(way, '203.0.113.9', '198.51.100.1, 10.0.0.1')).toBe('203.0.113.9');
  },
);

test.each(['forwardfor', 'replaced'] as const)('IPv6 clients keep their address: %s', async (way) => {
  expect(await through(way, '2001:db8:0::7', '198.51.100.1')).toBe('2001:db8::7');
});

test('behind two trusted proxies the client of the outer one counts', async () => {
  // HAProxy saw 10.0.0.1, a trusted one, which says whom it saw.
  expect(await through('forwardfor', '10.0.0.1', '1.1.1.1, 203.0.113.7')).toBe('203.0.113.7');
  expect(await through('proxy', '10.0.0.1', '1.1.1.1, "[2001:db8::7]:4711"')).toBe('2001:db8::7');
  expect(await through('both', '10.0.0.1', '203.0.113.7')).toBe('203.0.113.7');
});

test('a gateway believes nobody who is not among its proxies, and counts them', async () => {
  const stranger = fixture.system.gateway(1);
  const before = await metric(stranger, 'gateway_forwarded_ignored_total');
  expect(await toldAddress(stranger.url, { 'X-Forwarded-For': '203.0.113.7' })).toBe('127.0.0.1');
  expect(await toldAddress(stranger.url, {})).toBe('127.0.0.1');
  expect(await metric(stranger, 'gateway_forwarded_ignored_total')).toBe(before + 1);
  expect(stranger.log()).toContain('TRUSTED_PROXIES');
});

test('a header of the PROXY protocol from somebody who is not among the proxies is ignored, and the rest is taken', async () => {
  const answered = async (gateway: ServiceProcess) => {
    const { status, socket } = await ask(gateway.url, `${proxyHeader()}${upgradeRequest()}`);
    socket.destroy();
    return status;
  };
  const stranger = fixture.system.gateway(1);
  const before = await metric(stranger, 'gateway_forwarded_ignored_total');
  expect(await answered(stranger)).toBe(101);
  expect(await metric(stranger, 'gateway_forwarded_ignored_total')).toBe(before + 1);
});

/** Version 2: a TCP connection over IPv4, from 3.5.0.113:4711. All of it below 0x80: the test writes text. */
function proxyHeader(): string {
  const signature = '\r\n\r\n\0\r\nQUIT\n';
  return `${signature}\x21\x11\x00\x0c\x03\x05\x00\x71\x7f\x00\x00\x01\x12\x67\x00\x50`;
}

test('a web page is let in from its own host and from nowhere else, and the refusals are counted', async () => {
  const gateway = fixture.system.gateway(1);
  const { port } = new URL(gateway.url);
  const answerTo = async (Origin: string | undefined, Host = `localhost:${port}`) => {
    const { status, body, socket } = await ask(gateway.url, upgradeRequest({ Host, Origin }));
    socket.destroy();
    return status === 101 ? status : `${status} ${body}`;
  };
  const before = await metric(gateway, 'gateway_upgrades_refused_total', { reason: 'origin' });
  for (const origin of [undefined, 'http://localhost:8090', `http://localhost:${port}`]) {
    expect(await answerTo(origin)).toBe(101);
  }
  const refusal = '403 No page of this origin may connect (ALLOWED_ORIGINS).\n';
  for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:8090']) {
    expect(await answerTo(origin)).toBe(refusal);
  }
  expect(await metric(gateway, 'gateway_upgrades_refused_total', { reason: 'origin' })).toBe(before + 3);

  const listed = await fixture.system.addGateway({ ALLOWED_ORIGINS: 'https://chat.example, null' });
  const clientOf = (Origin: string) => connect(listed.url, { headers: { Origin } });
  for (const origin of ['https://chat.example', 'null']) (await clientOf(origin)).terminate();
  await expect(clientOf('http://127.0.0.1:8090')).rejects.toThrow('403');
});

import { connect as connectTcp, type Socket } from 'node:net';
import {
  connect,
  getOnce,
  metrics,
  type ServiceProcess,
  startSystem,
  type TestSystem,
} from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from './fixture.ts';
import { ask, type RawAnswer, upgradeRequest } from './raw-http.ts';

const openFilesMax = 256;
const clients = 400;

let system: TestSystem;
let gateway: ServiceProcess;

beforeAll(async () => {
  system = await startSystem({ gateways: 0, cores: 0 });
  gateway = await system.addGateway({}, { openFilesMax });
});

afterAll(() => system?.stop());

/** Until the gateway has noticed that no files are left, nothing of it can be reached. */
const readiness = () =>
  getOnce(new URL('/readyz', gateway.adminUrl)).then(
    (answer) => answer.text(),
    () => 'out of reach',
  );

test('of 400 clients a gateway with 256 files takes 56, tells the others when to come back, and goes on answering', async () => {
  const before = await metrics(gateway.adminUrl);
  expect(before.value('hooligram_gateway_connections_max')).toBe(openFilesMax - 200);
  expect(before.value('hooligram_gateway_upgrades_refused_total', { reason: 'full' })).toBe(0);
  const answers: RawAnswer[] = [];
  // So many at a time that there are files for all of them: those that are refused give theirs back at once.
  for (let from = 0; from < clients; from += 50) {
    const some = Array.from({ length: 50 }, () => ask(gateway.url, upgradeRequest()));
    answers.push(...(await Promise.all(some)));
  }
  const taken = answers.filter(({ status }) => status === 101);
  const refused = answers.filter(({ status }) => status === 503);
  expect([taken.length, refused.length]).toEqual([56, clients - 56]);
  for (const { headers } of refused) {
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(10);
  }
  const full = await metrics(gateway.adminUrl);
  expect(full.value('hooligram_gateway_connections')).toBe(56);
  expect(full.value('hooligram_gateway_upgrades_refused_total', { reason: 'full' })).toBe(clients - 56);
  expect(gateway.log()).toMatch(/"kind":"full","source":"127\.0\.0\.1".*there is no room/);
  expect(await readiness()).toContain('56 of 56 connections are taken');
  // Below 95 percent.
  for (const { socket } of taken.slice(0, 3)) socket.destroy();
  await eventually(() => gateway.isReady(), 'it is ready again');
  for (const { socket } of answers) socket.destroy();
});

test('without files left it stops listening, health and metrics answer, and it takes clients again afterwards', async () => {
  const { port } = new URL(gateway.url);
  const silent: Socket[] = [];
  try {
    for (let count = 0; count < clients; count += 1) {
      silent.push(connectTcp(Number(port), '127.0.0.1').on('error', () => undefined));
    }
    await eventually(async () => (await readiness()).includes('no files are left to open'), 'it has noticed');
    expect((await getOnce(new URL('/healthz', gateway.adminUrl))).ok).toBe(true);
    const { value } = await metrics(gateway.adminUrl);
    expect(value('process_open_fds')).toBeGreaterThan(0);
    expect(value('process_open_fds')).toBeLessThan(openFilesMax);
  } finally {
    for (const socket of silent) socket.destroy();
  }
  await eventually(() => gateway.isReady(), 'it listens again');
  const client = await connect(gateway.url);
  await client.roundTrip();
  client.terminate();
  expect(gateway.log()).toContain('takes connections again');
});

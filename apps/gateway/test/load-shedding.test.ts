import { connectRedis, createNames } from '@hooligram/bus';
import { connect, patienceMs, silentLog, startSystem, type TestSystem, uniqueSid } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, metric } from './fixture.ts';

/** Of codes: an eighth of what the stream takes. */
const entriesMax = 3;

let system: TestSystem;

beforeAll(async () => {
  system = await startSystem({
    gateways: 1,
    cores: 0,
    gatewayEnv: {
      REQUESTS_WAITING_MAX: String(8 * entriesMax),
      // What is not refused at once waits for longer than this test: a FAILURE is no end of patience.
      REQUEST_DEADLINE_MS: String(4 * patienceMs),
      REQUEST_REPEAT_MS: String(5 * patienceMs),
      REQUEST_PATIENCE_MS: String(10 * patienceMs),
    },
  });
});

afterAll(() => system?.stop());

test('when too many requests wait the next ones get FAILURE server busy at once, and the others their answers later', async () => {
  const gateway = system.gateway(0);
  const clients = await Promise.all(Array.from({ length: entriesMax + 2 }, () => connect(gateway.url)));
  const ask = (client: (typeof clients)[number]) => {
    const [country_code = '', phone_number = ''] = uniqueSid().split('.');
    return client.request('VERIFICATION_REQUEST_CODE', { country_code, phone_number });
  };
  const waiting = [];
  for (const client of clients.slice(0, entriesMax)) {
    const before = await metric(gateway, 'gateway_requests_pending');
    waiting.push(ask(client));
    // Each in a tick, and so in an entry, of its own.
    await eventually(async () => (await metric(gateway, 'gateway_requests_pending')) === before + 1, 'asked');
  }
  for (const client of clients.slice(entriesMax)) {
    expect(await ask(client)).toMatchObject({
      type: 'VERIFICATION_REQUEST_CODE_FAILURE',
      payload: { errors: ['server busy'] },
    });
    // Refused, not closed.
    await client.roundTrip();
  }
  expect(await metric(gateway, 'gateway_requests_shed_total')).toBe(2);
  await system.addCore();
  for (const answer of await Promise.all(waiting))
    expect(answer.type).toBe('VERIFICATION_REQUEST_CODE_SUCCESS');
  // Entries leave the stream a moment after their answers.
  const redis = await connectRedis(system.redisUrl, { role: 'command', name: 'test', log: silentLog });
  const { requests } = createNames(system.prefix);
  await eventually(async () => (await redis.xlen(requests)) === 0, 'the stream is empty');
  redis.disconnect();
  for (const client of clients.slice(entriesMax)) {
    expect((await ask(client)).type).toBe('VERIFICATION_REQUEST_CODE_SUCCESS');
    client.terminate();
  }
});

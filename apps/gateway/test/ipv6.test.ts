import { networkInterfaces } from 'node:os';
import { connect, startSystem, type TestSystem, uniqueSid } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, metric } from './fixture.ts';

const failures = 4;
const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);
const hosts = hasIpv6 ? ['127.0.0.1', '[::1]'] : ['127.0.0.1'];

let system: TestSystem;

beforeAll(async () => {
  system = await startSystem({
    gateways: 0,
    cores: 1,
    coreEnv: {
      LIMITS_ENABLED: 'true',
      LIMIT_GUESSES_PER_SOURCE: `${failures}/3600`,
      LIMIT_GUESSED_NUMBERS_PER_SOURCE: '999/3600',
    },
  });
  // Empty is as good as unset: what a gateway does by default.
  for (let count = 0; count < 2; count += 1) await system.addGateway({ GATEWAY_HOST: '' });
});

afterAll(() => system?.stop());

const at = (url: string, host: string) => url.replace('127.0.0.1', host);

async function failToSignIn(url: string): Promise<readonly string[] | undefined> {
  const client = await connect(url);
  const [country_code, phone_number] = uniqueSid().split('.');
  const wrong = { country_code, phone_number, verification_code: '111111' };
  const { payload } = await client.request('AUTHORIZATION_SIGN_IN', wrong);
  client.terminate();
  return payload.errors;
}

test('a gateway takes clients on every family of addresses that the machine has', async () => {
  for (const host of hosts) {
    const client = await connect(at(system.gateway(0).url, host));
    await client.roundTrip();
    client.terminate();
  }
});

test('gateways that share a port share the clients of every family', async () => {
  for (const host of hosts) {
    const clients = await Promise.all(Array.from({ length: 40 }, () => connect(at(system.url, host))));
    for (const index of [0, 1]) {
      expect(await metric(system.gateway(index), 'gateway_connections')).toBeGreaterThan(0);
    }
    for (const client of clients) client.terminate();
    for (const index of [0, 1]) {
      await eventually(
        async () => (await metric(system.gateway(index), 'gateway_connections')) === 0,
        'the clients are gone',
      );
    }
  }
});

test('an IPv4 client has one limit, whether the gateway listens on IPv4 alone or on both', async () => {
  const both = system.gateway(0).url;
  const ipv4 = (await system.addGateway({ GATEWAY_HOST: '127.0.0.1' })).url;
  for (let tries = 0; tries < failures; tries += 1) {
    expect(await failToSignIn(tries % 2 === 0 ? both : ipv4)).toEqual([
      'wrong phone number or verification code',
    ]);
  }
  for (const url of [both, ipv4])
    expect(await failToSignIn(url)).toEqual([expect.stringContaining('too many attempts')]);
  if (hasIpv6)
    expect(await failToSignIn(at(both, '[::1]'))).toEqual(['wrong phone number or verification code']);
});

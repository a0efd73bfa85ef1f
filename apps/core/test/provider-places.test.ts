import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { uniqueSid } from '@hooligram/testkit';
import { afterAll, expect, test } from '@jest/globals';
import { numberOf, startFixture, until } from './fixture.ts';

const ofOneSource = 30;
const otherSources = 60;
const placesOfSource = 16;

/** The requests that the provider received, which the test answers. */
const held: ServerResponse[] = [];
let answersAtOnce = false;

const provider = createServer(async (request, response) => {
  await text(request);
  held.push(response);
  if (answersAtOnce) sent(response);
}).listen(0, '127.0.0.1');
await once(provider, 'listening');

const fixture = startFixture({
  gateways: 1,
  cores: 1,
  // Nothing ends before the test has looked.
  env: { REQUEST_DEADLINE_MS: '120000' },
  coreEnv: {
    VERIFICATION_PROVIDER: 'twilio',
    TWILIO_ACCOUNT_SID: `AC${'1'.repeat(32)}`,
    TWILIO_AUTH_TOKEN: 'token',
    TWILIO_VERIFY_SERVICE_SID: `VA${'2'.repeat(32)}`,
    TWILIO_BASE_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`,
    TWILIO_TIMEOUT_MS: '60000',
  },
  gatewayEnv: { TRUSTED_PROXIES: '127.0.0.1', REQUEST_REPEAT_MS: '130000', REQUEST_PATIENCE_MS: '300000' },
});

afterAll(() => {
  provider.close();
  provider.closeAllConnections();
});

function sent(response: ServerResponse): void {
  response.writeHead(201, { 'content-type': 'application/json' }).end('{"status":"pending"}');
}

async function askFrom(address: string) {
  const client = await fixture.connect(0, { headers: { 'x-forwarded-for': address } });
  return client.request('VERIFICATION_REQUEST_CODE', numberOf(uniqueSid()));
}

test('while the provider answers nobody, many connections of one source leave room for everybody, and 60 sources do not wait for each other', async () => {
  const asking = Array.from({ length: ofOneSource }, () => askFrom('203.0.113.1'));
  await until('one source has all its places', () => held.length === placesOfSource);
  for (let count = 1; count <= otherSources; count += 1) asking.push(askFrom(`192.0.2.${count}`));
  await until('all others are with the provider', () => held.length === placesOfSource + otherSources);
  answersAtOnce = true;
  for (const response of held) if (!response.writableEnded) sent(response);
  const answers = await Promise.all(asking);
  expect(new Set(answers.map(({ type }) => type))).toEqual(new Set(['VERIFICATION_REQUEST_CODE_SUCCESS']));
  expect(held).toHaveLength(ofOneSource + otherSources);
});

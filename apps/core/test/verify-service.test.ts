import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestClient, uniqueSid } from '@hooligram/testkit';
import { afterAll, expect, test } from '@jest/globals';
import { numberOf, startFixture, until } from './fixture.ts';

const ofOneSource = 30;
const otherSources = 60;
const placesOfSource = 16;
/** Twilio's, for the verification of a number: checks of its code, and texts. */
const [checksMax, textsMax] = [5, 5];

/** The one that the service has for a number. */
type Verification = { readonly code: string; checks: number; texts: number };

/** Those under way, by number. */
const verifications = new Map<string, Verification>();
/** What the service sent. */
const texts: { to: string; code: string }[] = [];
/** What it was told about numbers. */
const told: string[] = [];
let checks = 0;
/** The requests for codes that wait until the test answers them; undefined: each is answered at once. */
let held: ServerResponse[] | undefined;

// A stand-in of Twilio Verify: one code for a number as long as its verification is under way, whoever asks.
const service = createServer(async (request, response) => {
  const form = new URLSearchParams(await text(request));
  const [, what = '', number = ''] = /\/Services\/VA2+\/([^/]+)\/?(.*)$/.exec(request.url ?? '') ?? [];
  const [to, status] = [form.get('To') ?? number, form.get('Status') ?? ''];
  if (held && !status) return held.push(response);
  const known = verifications.get(to);
  if (what === 'Verifications' && !status) return create(response, to, form.get('CustomCode'));
  if (!known) return give(response, 404, { code: 20404, message: 'not found' });
  if (status) {
    told.push(`${to} ${status}`);
    verifications.delete(to);
    return give(response, 200, { status });
  }
  checks += 1;
  known.checks += 1;
  const isRight = known.code === form.get('Code');
  if (isRight || known.checks === checksMax) verifications.delete(to);
  give(response, 200, { status: isRight ? 'approved' : 'pending' });
}).listen(0, '127.0.0.1');
await once(service, 'listening');

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
    TWILIO_BASE_URL: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
    TWILIO_TIMEOUT_MS: '60000',
  },
  gatewayEnv: { TRUSTED_PROXIES: '127.0.0.1', REQUEST_REPEAT_MS: '130000', REQUEST_PATIENCE_MS: '300000' },
});

afterAll(() => {
  service.close();
  service.closeAllConnections();
});

function create(response: ServerResponse, to: string, customCode: string | null): void {
  const known = verifications.get(to) ?? { code: customCode ?? '00000000', checks: 0, texts: 0 };
  verifications.set(to, known);
  known.texts += 1;
  if (known.texts > textsMax) {
    give(response, 429, { code: 60203, message: 'too many' });
  } else {
    texts.push({ to, code: known.code });
    give(response, 201, { status: 'pending' });
  }
}

function give(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const from = (address: string) => fixture.connect(0, { headers: { 'x-forwarded-for': address } });

const ask = (client: TestClient, sid: string) => client.request('VERIFICATION_REQUEST_CODE', numberOf(sid));

/** One that nobody was sent. */
const wrongCode = () =>
  ['11111111', '22222222', '33333333'].find((code) => !texts.some((sent) => sent.code === code)) ?? '';

const submit = async (client: TestClient, verification_code: string) =>
  (await client.request('VERIFICATION_SUBMIT_CODE', { verification_code })).payload;

test('however often strangers ask for codes of a number and guess, the code that its owner was sent is right, and the service is told', async () => {
  const sid = uniqueSid();
  const owner = await from('198.51.100.1');
  expect((await ask(owner, sid)).payload).toEqual({});
  for (let n = 1; n <= textsMax; n += 1) {
    const stranger = await from(`203.0.${n}.1`);
    expect((await ask(stranger, sid)).payload).toEqual({});
    for (let guess = 0; guess < checksMax; guess += 1) {
      expect(await submit(stranger, wrongCode())).toEqual({ errors: ['wrong code'] });
    }
    expect(await submit(stranger, texts[0]?.code ?? '')).toEqual({ errors: ['too many attempts'] });
  }
  expect(new Set(texts.map(({ code }) => code)).size).toBe(1 + textsMax);
  expect(await submit(owner, texts[0]?.code ?? '')).toEqual({ token: expect.any(String) });
  const to = `+${sid.replace('.', '')}`;
  await until('the service knows that the code was right', () => told.includes(`${to} approved`));
  expect(checks).toBe(0);
});

test('while the service answers nobody, many connections of one source leave room for everybody, and 60 sources do not wait for each other', async () => {
  const waiting: ServerResponse[] = [];
  held = waiting;
  const askFrom = async (address: string) => ask(await from(address), uniqueSid());
  const asking = Array.from({ length: ofOneSource }, () => askFrom('203.0.113.1'));
  await until('one source has all its places', () => waiting.length === placesOfSource);
  for (let count = 1; count <= otherSources; count += 1) asking.push(askFrom(`192.0.2.${count}`));
  await until('all others are with the service', () => waiting.length === placesOfSource + otherSources);
  held = undefined;
  for (const response of waiting) give(response, 201, { status: 'pending' });
  const answers = await Promise.all(asking);
  expect(new Set(answers.map(({ type }) => type))).toEqual(new Set(['VERIFICATION_REQUEST_CODE_SUCCESS']));
});

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestClient, uniqueSid } from '@hooligram/testkit';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { numberOf, startFixture, until } from './fixture.ts';

const approved = { status: 'approved' };
const code = '000000';

/** The requests that the provider received in the running test. Only the test answers them. */
let held: { path: string; response: ServerResponse }[] = [];
/** Answers that are given at once; undefined holds the request. */
let replyTo: (path: string) => object | undefined = () => undefined;

const provider = createServer(async (request, response) => {
  await text(request);
  const path = String(request.url?.split('/').at(-1));
  held.push({ path, response });
  const reply = replyTo(path);
  if (reply) give(response, reply);
}).listen(0, '127.0.0.1');
await once(provider, 'listening');

const attemptsMax = 3;

const fixture = startFixture({
  gateways: 1,
  cores: 1,
  coreEnv: {
    VERIFICATION_PROVIDER: 'twilio',
    VERIFICATION_ATTEMPTS_MAX: String(attemptsMax),
    TWILIO_ACCOUNT_SID: `AC${'1'.repeat(32)}`,
    TWILIO_AUTH_TOKEN: 'token',
    TWILIO_VERIFY_SERVICE_SID: `VA${'2'.repeat(32)}`,
    TWILIO_VERIFY_CHECKS: 'true',
    TWILIO_BASE_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`,
    TWILIO_TIMEOUT_MS: '5000',
    LIMITS_ENABLED: 'true',
    VERIFICATION_CODE_DIGITS: '6',
    LIMIT_GUESSES_PER_NUMBER: '20/3600',
    LIMIT_GUESSES_PER_NUMBER_AND_SOURCE: '7/3600',
    LIMIT_GUESSES_PER_SOURCE: '7/3600',
  },
  // However long a core needs to start on a busy machine, the requests of the one before are for it to end.
  env: { REQUEST_DEADLINE_MS: '120000' },
  gatewayEnv: { TRUSTED_PROXIES: '127.0.0.1', REQUEST_REPEAT_MS: '130000', REQUEST_PATIENCE_MS: '300000' },
});

let addresses = 0;

afterEach(() => {
  for (const { response } of held) response.destroy();
  held = [];
  replyTo = () => undefined;
});
afterAll(() => {
  provider.close();
  provider.closeAllConnections();
});

function give(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function connect(): Promise<TestClient> {
  addresses += 1;
  return fixture.connect(0, { headers: { 'x-forwarded-for': `198.51.100.${addresses}` } });
}

const isAsked = (path: string) => until(`the provider was asked: ${path}`, () => askedFor(path) > 0);
const askedFor = (path: string) => held.filter((asked) => asked.path === path).length;

/** Kills the core while it waits for the provider, and lets another one continue. */
async function replaceCore(): Promise<void> {
  await fixture.system.core(0).kill();
  await fixture.system.core(0).start();
}

const ask = async (client: TestClient, sid: string) =>
  (await client.request('VERIFICATION_REQUEST_CODE', numberOf(sid))).payload;

const submit = async (client: TestClient, verification_code = code) =>
  (await client.request('VERIFICATION_SUBMIT_CODE', { verification_code })).payload;

const signIn = async (client: TestClient, sid: string) =>
  (await client.request('AUTHORIZATION_SIGN_IN', { ...numberOf(sid), verification_code: code })).payload;

/** A connection that requested a code, which was sent. */
async function asked(sid: string): Promise<TestClient> {
  const client = await connect();
  replyTo = (path) => (path === 'Verifications' ? { status: 'pending' } : undefined);
  expect(await ask(client, sid)).toEqual({});
  return client;
}

const notSent = { errors: ['code could not be sent'] };
const notChecked = { errors: ['code could not be checked'] };
const wrongCredential = { errors: ['wrong phone number or verification code'] };
const tooManyAttempts = { errors: ['too many attempts'] };

test('a code request is not answered with SUCCESS before the provider has sent the code, also when the core that called it has died', async () => {
  const client = await connect();
  const answer = ask(client, uniqueSid());
  await isAsked('Verifications');
  await replaceCore();
  expect(await answer).toEqual(notSent);
  expect(askedFor('Verifications')).toBe(1);
});

test('a right code that the provider confirms too late is no credential, and neither is one whose core has died', async () => {
  for (const meanwhile of [async () => {}, replaceCore]) {
    const sid = uniqueSid();
    const client = await asked(sid);
    const answer = submit(client);
    await isAsked('VerificationCheck');
    await meanwhile();
    expect(await answer).toEqual(notChecked);
    for (const { response } of held) if (!response.writableEnded) give(response, approved);
    expect(await signIn(client, sid)).toEqual(wrongCredential);
    expect(askedFor('VerificationCheck')).toBe(1);
    held = [];
  }
});

test('a right code becomes the credential, and the provider is called once', async () => {
  const sid = uniqueSid();
  const client = await asked(sid);
  replyTo = () => approved;
  expect(await submit(client)).toEqual({ token: expect.any(String) });
  expect(await signIn(client, sid)).toEqual({});
  expect(askedFor('VerificationCheck')).toBe(1);
});

test('after the last attempt the provider is not called, and beyond the limit of an address no code is checked', async () => {
  const client = await asked(uniqueSid());
  replyTo = (path) => ({ status: path === 'VerificationCheck' ? 'pending' : 'sent' });
  const answers = [];
  for (let time = 0; time < 8; time += 1) answers.push(await submit(client));
  expect(answers.slice(0, attemptsMax)).toEqual(Array(attemptsMax).fill({ errors: ['wrong code'] }));
  expect(answers.slice(attemptsMax)).toEqual(Array(8 - attemptsMax).fill(tooManyAttempts));
  expect(askedFor('VerificationCheck')).toBe(attemptsMax);

  // A new code has all its attempts, but only its first one is not counted, and this address has no other left.
  expect(await ask(client, uniqueSid())).toEqual({});
  expect((await submit(client)).errors).toEqual(['wrong code']);
  replyTo = () => approved;
  expect((await submit(client)).errors).toEqual([
    expect.stringMatching(/^too many attempts: try again in \d+ s$/),
  ]);
  expect(askedFor('VerificationCheck')).toBe(attemptsMax + 1);
});

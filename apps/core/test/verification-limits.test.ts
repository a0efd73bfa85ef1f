import { randomUUID } from 'node:crypto';
import { metrics, type TestClient, uniqueSid } from '@hooligram/testkit';
import { describe, expect, test } from '@jest/globals';
import { FakeGateway } from './fake-gateway.ts';
import { numberOf, startFixture, writtenOnce } from './fixture.ts';

const right = '000000';
const wrong = '111111';
const ttlMs = 300_000;

const fixture = startFixture({
  gateways: 2,
  cores: 2,
  gatewayEnv: { TRUSTED_PROXIES: '127.0.0.1', ...writtenOnce },
  coreEnv: {
    LIMITS_ENABLED: 'true',
    VERIFICATION_TTL_MS: String(ttlMs),
    VERIFICATION_ATTEMPTS_MAX: '2',
    LIMIT_TEXTS_PER_NUMBER: '4/3600',
    LIMIT_TEXTS_PER_PREFIX: '999/3600',
    LIMIT_TEXTS_FIRST_OF_NETWORK: '1/3600',
    LIMIT_TEXTS_PER_NUMBER_AND_SOURCE: '3/3600',
    LIMIT_GUESSES_PER_NUMBER: '3/3600',
    LIMIT_GUESSES_FIRST_OF_NETWORK: '1/3600',
    LIMIT_GUESSES_PER_NUMBER_AND_SOURCE: '2/3600',
  },
});

let addresses = 0;

function newAddress(): string {
  addresses += 1;
  return `198.51.${addresses}.1`;
}

/** A connection from this address, on the gateways in turn: what counts is the address. */
function from(address: string, gateway = 0): Promise<TestClient> {
  return fixture.connect(gateway, { headers: { 'x-forwarded-for': address } });
}

async function registered(): Promise<string> {
  const sid = uniqueSid();
  await (await from(newAddress())).register(sid);
  return sid;
}

const ask = async (client: TestClient, sid: string) =>
  (await client.request('VERIFICATION_REQUEST_CODE', numberOf(sid))).payload;

const submit = async (client: TestClient, verification_code: string) => {
  const { token: _, ...payload } = (await client.request('VERIFICATION_SUBMIT_CODE', { verification_code }))
    .payload;
  return payload;
};

const signIn = async (client: TestClient, sid: string, verification_code: string) =>
  (await client.request('AUTHORIZATION_SIGN_IN', { ...numberOf(sid), verification_code })).payload;

const success = {};
const tooManyRequests = { errors: [expect.stringMatching(/^too many requests: try again in \d+ s$/)] };
const tooManyAttempts = { errors: [expect.stringMatching(/^too many attempts: try again in \d+ s$/)] };
const wrongCode = { errors: ['wrong code'] };
const expired = { errors: ['code has expired'] };
const wrongCredential = { errors: ['wrong phone number or verification code'] };

/** Lets all the time of a number's code pass. @returns how much was left, in milliseconds */
async function passTimeOf(sid: string): Promise<number> {
  const [challenge] = await fixture.rows<{ left_ms: number }>(
    `UPDATE verification_challenge c SET date_expires = clock_timestamp()
     FROM verification_challenge before WHERE c.sid = $1 AND before.connection_id = c.connection_id
     RETURNING (1000 * extract(epoch FROM before.date_expires - clock_timestamp()))::float8 AS left_ms`,
    [sid],
  );
  return challenge?.left_ms ?? Number.NaN;
}

describe('a code', () => {
  test('expires: then it is refused, registers no user, and a new one is good again', async () => {
    const sid = uniqueSid();
    const client = await from(newAddress());
    expect(await ask(client, sid)).toEqual(success);
    const leftMs = await passTimeOf(sid);
    expect(leftMs).toBeLessThanOrEqual(ttlMs);
    expect(leftMs).toBeGreaterThan(ttlMs - 60_000);
    expect(await submit(client, right)).toEqual(expired);
    expect(await signIn(await from(newAddress()), sid, right)).toEqual(wrongCredential);
    expect(await ask(client, sid)).toEqual(success);
    expect(await submit(client, right)).toEqual(success);
    expect(await signIn(client, sid, right)).toEqual(success);
  });
});

describe('requesting codes', () => {
  test('is limited for a number and an address, then for the number, and leaves some for its own network', async () => {
    const sid = uniqueSid();
    const home = newAddress();
    await (await from(home)).signIn(sid);
    const stranger = newAddress();
    const [here, there] = [await from(stranger, 0), await from(stranger, 1)];
    expect(await ask(here, sid)).toEqual(success);
    expect(await ask(there, sid)).toEqual(success);
    expect(await ask(here, sid)).toEqual(success);
    expect(await ask(there, sid)).toEqual(tooManyRequests);
    expect(await ask(await from(newAddress()), sid)).toEqual(success);
    expect(await ask(await from(newAddress()), sid)).toEqual(tooManyRequests);
    expect(await ask(here, uniqueSid())).toEqual(success);
    const owner = await from(home, 1);
    expect(await ask(owner, sid)).toEqual(success);
    expect(await submit(owner, right)).toEqual(success);
  });

  test('beyond the limit leaves the code that was sent before good', async () => {
    const sid = uniqueSid();
    const client = await from(newAddress());
    for (const expected of [success, success, success, tooManyRequests])
      expect(await ask(client, sid)).toEqual(expected);
    expect(await submit(client, right)).toEqual(success);
    expect(await signIn(client, sid, right)).toEqual(success);
  });
});

describe('wrong codes', () => {
  test('of a stranger, at sign-ins and submissions, do not spoil the challenge of another connection', async () => {
    const sid = uniqueSid();
    const [stranger, owner] = [await from(newAddress()), await from(newAddress(), 1)];
    expect(await ask(stranger, sid)).toEqual(success);
    expect(await ask(owner, sid)).toEqual(success);
    expect(await submit(stranger, wrong)).toEqual(wrongCode);
    for (let n = 0; n < 2; n += 1) expect(await signIn(stranger, sid, wrong)).toEqual(wrongCredential);
    expect(await submit(stranger, right)).toEqual(tooManyAttempts);
    expect(await signIn(stranger, sid, wrong)).toEqual(tooManyAttempts);
    expect(await submit(owner, right)).toEqual(success);
  });

  test('of strangers lock out neither who has the token, nor the network in which the number signed in before', async () => {
    const sid = uniqueSid();
    const home = newAddress();
    const first = await from(home);
    expect(await ask(first, sid)).toEqual(success);
    const { token } = (await first.request('VERIFICATION_SUBMIT_CODE', { verification_code: right })).payload;
    expect(await signIn(first, sid, right)).toEqual(success);
    for (const expected of [
      wrongCredential,
      wrongCredential,
      wrongCredential,
      wrongCredential,
      tooManyAttempts,
    ]) {
      expect(await signIn(await from(newAddress()), sid, wrong)).toEqual(expected);
    }
    expect(await signIn(await from(newAddress()), sid, right)).toEqual(tooManyAttempts);
    expect(await signIn(await from(home, 1), sid, right)).toEqual(success);
    expect(await signIn(await from(newAddress(), 1), sid, String(token))).toEqual(success);
  });

  test('of strangers do not stand between an owner and a new code, in a network that the number never signed in from, nor before the sign-in with it', async () => {
    const sid = await registered();
    // Nobody of them guesses at a code that was sent, so texts are left; guesses are not, for anybody new.
    for (let n = 0; n < 6; n += 1) await signIn(await from(newAddress()), sid, wrong);
    const abroad = newAddress();
    const owner = await from(abroad);
    expect(await signIn(owner, sid, right)).toEqual(tooManyAttempts);
    expect(await ask(owner, sid)).toEqual(success);
    expect(await submit(owner, right)).toEqual(success);
    // The code alone, too: a client may know nothing of tokens.
    expect(await signIn(await from(abroad, 1), sid, right)).toEqual(success);
    expect(await signIn(await from(newAddress()), sid, right)).toEqual(tooManyAttempts);
  });

  test('of strangers who used up the texts of a number leave its owner the first one of a new network', async () => {
    const sid = await registered();
    const [one, other] = [await from(newAddress()), await from(newAddress(), 1)];
    // One has gone to the owner, when they signed up.
    for (const expected of [success, success, success, tooManyRequests])
      expect(await ask(one, sid)).toEqual(expected);
    const owner = await from(newAddress());
    expect(await ask(owner, sid)).toEqual(success);
    expect(await submit(owner, right)).toEqual(success);
    expect(await ask(other, sid)).toEqual(tooManyRequests);
  });

  test('are counted when they are in progress at once', async () => {
    const sid = await registered();
    const guessers = await Promise.all(Array.from({ length: 8 }, () => from(newAddress())));
    const answers = await Promise.all(guessers.map((client) => signIn(client, sid, wrong)));
    const told = answers.filter(({ errors }) => errors?.[0] === wrongCredential.errors[0]).length;
    // The one that is the first of its network is told if it was asked about after the others were counted.
    expect([3, 4]).toContain(told);
  });
});

test('signing in with the right code is not limited, on many connections at once and often', async () => {
  const sid = await registered();
  const address = newAddress();
  const devices = await Promise.all(Array.from({ length: 12 }, (_, n) => from(address, n % 2)));
  const answers = await Promise.all(devices.map((client) => signIn(client, sid, right)));
  expect(answers).toEqual(devices.map(() => success));
});

test('a code that was submitted on a connection that asked for none costs the core nothing', async () => {
  const client = await from(newAddress());
  const none = { errors: ['no code was requested on this connection'] };
  for (let times = 0; times < 10; times += 1) expect(await submit(client, wrong)).toEqual(none);
});

test('codes that are requested at once, of as many numbers from as many addresses, share the statements that come before the limits', async () => {
  const gateway = await FakeGateway.connect(fixture.system);
  const statements = async (statement: string) => {
    const counts = fixture.system.cores.map(async ({ adminUrl }) =>
      (await metrics(adminUrl)).value('hooligram_core_database_statement_seconds_count', { statement }),
    );
    return (await Promise.all(counts)).reduce((sum, count) => sum + (Number.isNaN(count) ? 0 : count), 0);
  };
  const count = 60;
  try {
    const [looked, sent] = [await statements('read_outcomes'), await statements('verification_request_code')];
    await Promise.all(
      Array.from({ length: count }, () =>
        gateway.request('VERIFICATION_REQUEST_CODE', {
          connection_id: randomUUID(),
          address: newAddress(),
          ...numberOf(uniqueSid()),
        }),
      ),
    );
    expect((await statements('verification_request_code')) - sent).toBe(count);
    // They came in one entry, and a core begins sixteen of them in a turn.
    expect((await statements('read_outcomes')) - looked).toBeLessThanOrEqual(count / 6);
  } finally {
    gateway.close();
  }
});

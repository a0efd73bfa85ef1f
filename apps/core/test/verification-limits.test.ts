import { type TestClient, uniqueSid } from '@hooligram/testkit';
import { describe, expect, test } from '@jest/globals';
import { numberOf, startFixture } from './fixture.ts';

const right = '000000';
const wrong = '111111';
const ttlMs = 300_000;

const fixture = startFixture({
  gateways: 2,
  cores: 2,
  gatewayEnv: { TRUSTED_PROXIES: '127.0.0.1' },
  coreEnv: {
    LIMITS_ENABLED: 'true',
    VERIFICATION_TTL_MS: String(ttlMs),
    VERIFICATION_ATTEMPTS_MAX: '2',
    LIMIT_CODE_REQUESTS_PER_NUMBER: '2/3600',
    LIMIT_CODE_REQUESTS_PER_ADDRESS: '4/3600',
    LIMIT_SUBMIT_FAILURES_PER_ADDRESS: '3/3600',
    LIMIT_SIGN_IN_FAILURES_PER_ADDRESS_AND_NUMBER: '2/3600',
    LIMIT_SIGN_IN_FAILURES_PER_NUMBER: '4/3600',
    LIMIT_SIGN_IN_FAILURES_PER_ADDRESS: '5/3600',
  },
});

let addresses = 0;

function newAddress(): string {
  addresses += 1;
  return `198.51.100.${addresses}`;
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
const tooManyRequests = { errors: ['too many requests'] };
const tooManyAttempts = { errors: ['too many attempts'] };
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
    expect(await signIn(client, sid, right)).toEqual(wrongCredential);
    expect(await ask(client, sid)).toEqual(success);
    expect(await submit(client, right)).toEqual(success);
    expect(await signIn(client, sid, right)).toEqual(success);
  });
});

describe('requesting codes', () => {
  test('is limited for a number from every address, and for no other number', async () => {
    const sid = uniqueSid();
    const [here, there] = [await from(newAddress(), 0), await from(newAddress(), 1)];
    expect(await ask(here, sid)).toEqual(success);
    expect(await ask(there, sid)).toEqual(success);
    expect(await ask(here, sid)).toEqual(tooManyRequests);
    expect(await ask(there, sid)).toEqual(tooManyRequests);
    expect(await ask(here, uniqueSid())).toEqual(success);
  });

  test('beyond the limit leaves the code that was sent before good', async () => {
    const sid = uniqueSid();
    const client = await from(newAddress());
    for (const expected of [success, success, tooManyRequests])
      expect(await ask(client, sid)).toEqual(expected);
    expect(await submit(client, right)).toEqual(success);
    expect(await signIn(client, sid, right)).toEqual(success);
  });

  test('beyond the limit leaves the owner of the number signing in', async () => {
    const sid = await registered();
    const stranger = await from(newAddress());
    expect(await ask(stranger, sid)).toEqual(success);
    expect(await ask(stranger, sid)).toEqual(tooManyRequests);
    expect(await signIn(await from(newAddress()), sid, right)).toEqual(success);
  });

  test('is limited for an address on all gateways together, and for no other address', async () => {
    const address = newAddress();
    const [here, there] = [await from(address, 0), await from(address, 1)];
    for (const client of [here, there, here, there]) expect(await ask(client, uniqueSid())).toEqual(success);
    const refused = uniqueSid();
    expect(await ask(here, refused)).toEqual(tooManyRequests);
    expect(await ask(there, refused)).toEqual(tooManyRequests);
    // Refused requests of that address used up nothing of the number.
    const other = await from(newAddress());
    for (const expected of [success, success, tooManyRequests])
      expect(await ask(other, refused)).toEqual(expected);
  });
});

describe('submitting wrong codes', () => {
  test('is limited for an address on all its connections, and for no other address', async () => {
    const address = newAddress();
    const [first, second] = [await from(address, 0), await from(address, 1)];
    const [ada, bob] = [uniqueSid(), uniqueSid()];
    expect(await ask(first, ada)).toEqual(success);
    expect(await ask(second, bob)).toEqual(success);
    for (const client of [first, second, first]) expect(await submit(client, wrong)).toEqual(wrongCode);
    expect(await submit(second, right)).toEqual(tooManyAttempts);
    const other = await from(newAddress());
    expect(await ask(other, bob)).toEqual(success);
    expect(await submit(other, right)).toEqual(success);
  });
});

describe('submitting what is compared with no code', () => {
  const none = { errors: ['no code was requested on this connection'] };

  test('counts as a wrong code does: an expired code, and one that was tried too often', async () => {
    const sid = uniqueSid();
    const client = await from(newAddress());
    expect(await submit(client, wrong)).toEqual(none);
    expect(await ask(client, sid)).toEqual(success);
    await passTimeOf(sid);
    for (const expected of [expired, expired, expired, tooManyAttempts]) {
      expect(await submit(client, wrong)).toEqual(expected);
    }

    const tried = await from(newAddress());
    expect(await ask(tried, sid)).toEqual(success);
    for (const expected of [wrongCode, wrongCode, tooManyAttempts]) {
      expect(await submit(tried, wrong)).toEqual(expected);
    }
    // Refused for its address: no attempt at the new code is made.
    expect(await ask(tried, uniqueSid())).toEqual(success);
    expect(await submit(tried, right)).toEqual(tooManyAttempts);
  });
});

describe('failing to sign in', () => {
  test('locks the address out of that number, with the right code too, and no other address', async () => {
    const [sid, neighbour] = [await registered(), await registered()];
    const address = newAddress();
    const guesser = await from(address, 0);
    for (const expected of [wrongCredential, wrongCredential, tooManyAttempts]) {
      expect(await signIn(guesser, sid, wrong)).toEqual(expected);
    }
    expect(await signIn(await from(address, 1), sid, right)).toEqual(tooManyAttempts);
    expect(await signIn(guesser, neighbour, right)).toEqual(success);
    expect(await signIn(await from(newAddress()), sid, right)).toEqual(success);
  });

  test('locks an address out of all numbers when it failed for many of them', async () => {
    const address = newAddress();
    const guesser = await from(address);
    for (let number = 0; number < 5; number += 1) {
      expect(await signIn(guesser, uniqueSid(), wrong)).toEqual(wrongCredential);
    }
    const sid = await registered();
    expect(await signIn(guesser, sid, right)).toEqual(tooManyAttempts);
    expect(await signIn(await from(newAddress()), sid, right)).toEqual(success);
  });

  test('from everywhere locks the number, and no other one', async () => {
    const [sid, neighbour] = [await registered(), await registered()];
    for (let guesser = 0; guesser < 4; guesser += 1) {
      expect(await signIn(await from(newAddress()), sid, wrong)).toEqual(wrongCredential);
    }
    const owner = await from(newAddress());
    expect(await signIn(owner, sid, right)).toEqual(tooManyAttempts);
    expect(await signIn(owner, neighbour, right)).toEqual(success);
  });

  test('counts guesses that are in progress at once', async () => {
    const sid = await registered();
    const guesser = await from(newAddress());
    const others = await Promise.all(Array.from({ length: 9 }, () => from(newAddress(), 1)));
    const answers = await Promise.all([guesser, ...others].map((client) => signIn(client, sid, wrong)));
    expect(answers.filter(({ errors }) => errors?.[0] === wrongCredential.errors[0])).toHaveLength(4);
    expect(answers.filter(({ errors }) => errors?.[0] === tooManyAttempts.errors[0])).toHaveLength(6);
  });

  test('is not what signing in on many connections at once does', async () => {
    const sid = await registered();
    const address = newAddress();
    const devices = await Promise.all(Array.from({ length: 20 }, (_, n) => from(address, n % 2)));
    const answers = await Promise.all(devices.map((client) => signIn(client, sid, right)));
    expect(answers).toEqual(devices.map(() => success));
  });

  test('is not what signing in often does', async () => {
    const sid = await registered();
    const client = await from(newAddress());
    for (let time = 0; time < 8; time += 1) expect(await signIn(client, sid, right)).toEqual(success);
    expect(await signIn(await from(newAddress()), sid, wrong)).toEqual(wrongCredential);
  });
});

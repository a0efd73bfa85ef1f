import { randomUUID } from 'node:crypto';
import { connect, type TestClient, uniqueSid } from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FakeGateway } from './fake-gateway.ts';
import { createGroup, errorsOf, numberOf, sendTo, startFixture, writtenOnce } from './fixture.ts';

const code = '000000';
const guessesMax = 3;

const fixture = startFixture({
  gateways: 2,
  cores: 2,
  gatewayEnv: writtenOnce,
  coreEnv: { CREDENTIAL_CODE_FAILURES_MAX: String(guessesMax) },
});

let gateway: FakeGateway;
beforeAll(async () => {
  gateway = await FakeGateway.connect(fixture.system);
});
afterAll(() => gateway?.close());

const wrongCredential = ['wrong phone number or verification code'];

/** Asks for a code and submits it. @returns the token */
async function verify(client: TestClient, sid: string): Promise<string> {
  await client.requestOk('VERIFICATION_REQUEST_CODE', numberOf(sid));
  const { payload } = await client.requestOk('VERIFICATION_SUBMIT_CODE', { verification_code: code });
  return String(payload.token);
}

async function registered(): Promise<{ sid: string; token: string }> {
  const sid = uniqueSid();
  return { sid, token: await verify(await fixture.connect(0), sid) };
}

async function signedIn(sid: string, credential: string, on = 0): Promise<TestClient> {
  const client = await fixture.connect(on);
  await client.authorize(sid, credential);
  return client;
}

const refused = async (sid: string, verification_code: string, on = 0) =>
  errorsOf({ client: await fixture.connect(on) }, 'AUTHORIZATION_SIGN_IN', {
    ...numberOf(sid),
    verification_code,
  });

describe('a token', () => {
  test('signs in on every gateway, and voids the code with its first sign-in', async () => {
    const { sid, token } = await registered();
    await signedIn(sid, code);
    await signedIn(sid, token);
    expect(await refused(sid, code, 1)).toEqual(wrongCredential);
    await signedIn(sid, token, 1);
    expect(await refused(uniqueSid(), token)).toEqual(wrongCredential);
  });

  test('is the same when the submission comes again, also from a core that has not seen it', async () => {
    const connection_id = randomUUID();
    const [country_code, phone_number] = uniqueSid().split('.') as [string, string];
    await gateway.request('VERIFICATION_REQUEST_CODE', {
      connection_id,
      address: '',
      country_code,
      phone_number,
    });
    const submission = { connection_id, address: '', verification_code: code };
    const id = randomUUID();
    const first = await gateway.request('VERIFICATION_SUBMIT_CODE', submission, id);
    expect(first.token).toHaveLength(36);
    for (let times = 0; times < 6; times += 1) {
      expect(await gateway.request('VERIFICATION_SUBMIT_CODE', submission, id)).toEqual(first);
    }
    await signedIn(`${country_code}.${phone_number}`, String(first.token));
  });

  test('is stored neither in clear nor in the answer that a second run reads', async () => {
    const { sid, token } = await registered();
    await signedIn(sid, token);
    const rows = await fixture.rows<{ row: string }>(
      `SELECT c::text AS row FROM credential c UNION ALL SELECT r::text FROM request r
       UNION ALL SELECT u::text FROM "user" u`,
      [],
    );
    expect(rows.length).toBeGreaterThan(2);
    const hex = Buffer.from(token, 'base64url').toString('hex');
    for (const { row } of rows) {
      expect(row).not.toContain(token);
      expect(row).not.toContain(hex);
    }
  });
});

describe('a new credential', () => {
  test('ends the sessions of the one before on every gateway with 4401, and not the one on which it was verified', async () => {
    const { sid, token } = await registered();
    const old = [await signedIn(sid, token, 0), await signedIn(sid, token, 1)];
    const verifying = await signedIn(sid, token, 1);
    const newer = await verify(verifying, sid);
    for (const client of old) expect((await client.closed).code).toBe(4401);
    expect(await refused(sid, token)).toEqual(wrongCredential);
    const other = await signedIn(sid, newer, 0);
    const user = { sid, client: other };
    const bob = await fixture.enter(1);
    const group_id = await createGroup(bob, [sid]);
    await sendTo(user, bob, group_id, 'to the new session');
    await verifying.roundTrip();
    expect(await fixture.counted('hooligram_gateway_sessions_ended_total')).toBeGreaterThanOrEqual(2);
  });

  test('ends them also when a gateway did not hear of it', async () => {
    const { sid, token } = await registered();
    const proxy = await FaultyTcpProxy.start(fixture.system.redisUrl);
    const { url } = await fixture.system.addGateway({ REDIS_URL: proxy.urlOf(fixture.system.redisUrl) });
    const client = await connect(url);
    await client.authorize(sid, token);
    await fixture.rows(
      'UPDATE credential c SET version = version + 1 FROM "user" u WHERE u.id = c.user_id AND u.sid = $1',
      [sid],
    );
    proxy.close();
    proxy.open();
    expect((await client.closed).code).toBe(4401);
    await proxy.stop();
  });
});

describe('a code as a credential', () => {
  const guess = async (sid: string, times: number) => {
    for (let one = 0; one < times; one += 1)
      expect(await refused(sid, '111111', one % 2)).toEqual(wrongCredential);
  };

  test('is void after so many wrong guesses; a new code does not begin them again, and the token is as good as before', async () => {
    const { sid } = await registered();
    await guess(sid, guessesMax - 1);
    await verify(await fixture.connect(0), sid);
    await guess(sid, 1);
    expect(await refused(sid, code)).toEqual(wrongCredential);
    const token = await verify(await fixture.connect(0), sid);
    expect(await refused(sid, code)).toEqual(wrongCredential);
    await signedIn(sid, token);
  });

  test('has all its guesses again after a right sign-in; what cannot be a code is no guess', async () => {
    const { sid, token } = await registered();
    for (let times = 0; times < 3; times += 1) {
      await guess(sid, guessesMax - 1);
      expect(await refused(sid, 'not a code')).toEqual(wrongCredential);
      expect(
        await refused(
          sid,
          token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
        ),
      ).toEqual(wrongCredential);
      await signedIn(sid, code);
    }
  });

  test('lives for a limited time, the token does not', async () => {
    const { sid, token } = await registered();
    const age = (days: number) =>
      fixture.rows(
        `UPDATE credential c SET date_created = clock_timestamp() - $2 * INTERVAL '1 day'
         FROM "user" u WHERE u.id = c.user_id AND u.sid = $1`,
        [sid, days],
      );
    await age(89);
    await signedIn(sid, code);
    await age(91);
    expect(await refused(sid, code)).toEqual(wrongCredential);
    await signedIn(sid, token);
  });

  test('of numbers that nobody has are counted together: a guess costs the same work whether a number is known or not', async () => {
    const count = async () =>
      Number(
        (
          await fixture.rows<{ n: number }>('SELECT code_failures AS n FROM credential WHERE user_id = 0', [])
        )[0]?.n,
      );
    const before = await count();
    await guess(uniqueSid(), 2);
    expect(await count()).toBe(before + 2);
  });
});

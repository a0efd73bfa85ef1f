import { phoneOf, readTryAgain } from '@hooligram/protocol';
import { type TestClient, uniqueSid, until } from '@hooligram/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, Fixture, metric } from './fixture.ts';

let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start({ LIMITS_ENABLED: 'true', LIMIT_REFUSED_GUESSES_PER_ADDRESS: '6/36000' });
});

afterAll(() => fixture?.stop());

test('who goes on creating groups after the core refused it is refused by the gateway, in the words of the core', async () => {
  const { core } = fixture;
  const { client, user } = await fixture.connectAs(fixture.user());
  const asked = () => core.received.filter(({ type }) => type === 'GROUP_CREATE').length;
  const refused = () => client.received('GROUP_CREATE_FAILURE').length;
  const times = 30;
  for (let n = 0; n < times; n += 1) {
    client.send('GROUP_CREATE_REQUEST', { group_name: 'group', member_sids: [user.sid, uniqueSid()] });
  }
  let answered = 0;
  while (refused() < times) {
    await eventually(() => refused() === times || asked() > answered, 'refused, or asked');
    if (asked() === answered) break;
    await (await core.next('GROUP_CREATE')).refuse('too many groups created: try again in 3600 s');
    answered += 1;
  }
  await client.waitFor(() => refused() === times);
  const errors = client
    .received('GROUP_CREATE_FAILURE')
    .map(({ payload }) => readTryAgain(payload.errors?.[0] ?? ''));
  expect(new Set(errors.map(({ text }) => text))).toEqual(new Set(['too many groups created']));
  expect(Math.min(...errors.map(({ seconds }) => seconds ?? 0))).toBeGreaterThan(3_000);
  const byGateway = await metric(fixture.system.gateway(0), 'gateway_limited_total', {
    limit: 'known_refusals',
  });
  expect(byGateway).toBeGreaterThan(0);
  expect(byGateway + answered).toBe(times);
});

describe('an address that guesses codes of one number after the other', () => {
  const signIn = (verification_code = '12345678') => ({ ...phoneOf(uniqueSid()), verification_code });
  const asked = () => fixture.core.received.filter(({ type }) => type === 'AUTHORIZATION_SIGN_IN').length;
  const refusal = 'too many attempts: try again in 3600 s';

  /** Sends so many and has the core refuse what it is asked. @returns how often it was asked */
  async function guess(client: TestClient, times: number): Promise<number> {
    const refused = () => client.received('AUTHORIZATION_SIGN_IN_FAILURE').length;
    const before = asked();
    for (let n = 0; n < times; n += 1) client.send('AUTHORIZATION_SIGN_IN_REQUEST', signIn());
    for (let answered = 0; refused() < times; ) {
      await eventually(() => refused() === times || asked() - before > answered, 'refused, or asked');
      if (asked() - before === answered) break;
      await (await fixture.core.next('AUTHORIZATION_SIGN_IN')).refuse(refusal);
      answered += 1;
    }
    const errors = client.received('AUTHORIZATION_SIGN_IN_FAILURE').map(({ payload }) => payload.errors?.[0]);
    expect(new Set(errors.map((error) => readTryAgain(error ?? '').text))).toEqual(
      new Set(['too many attempts']),
    );
    return asked() - before;
  }

  test('costs the core six questions, however many it sends, and one for each connection', async () => {
    const [one, other] = [await fixture.connect(), await fixture.connect()];
    expect(await guess(one, 40)).toBe(6);
    expect(await guess(other, 40)).toBe(1);
    const byGateway = await metric(fixture.system.gateway(0), 'gateway_limited_total', {
      limit: 'address_guesses',
    });
    expect(byGateway).toBe(34 + 39);
    // Nobody said that these codes are wrong.
    const signIns = (outcome: string) =>
      metric(fixture.system.gateway(0), 'gateway_sign_ins_total', { outcome });
    expect(await Promise.all(['limited', 'failure'].map(signIns))).toEqual([80, 0]);
  });

  test('keeps no token of that address from the core, on no connection', async () => {
    const client = await fixture.connect();
    await guess(client, 10);
    client.send('AUTHORIZATION_SIGN_IN_REQUEST', signIn('t'.repeat(43)));
    await (await fixture.core.next('AUTHORIZATION_SIGN_IN')).refuse('wrong');
  });
});

test('who has submitted a code rightly is asked about at the core until it has looked at theirs, whatever their neighbours guess', async () => {
  const [owner, neighbour] = [await fixture.connect(), await fixture.connect()];
  const { core } = fixture;
  const number = phoneOf(uniqueSid());
  owner.send('VERIFICATION_REQUEST_CODE_REQUEST', number);
  await (await core.next('VERIFICATION_REQUEST_CODE')).succeed({});
  await owner.next('VERIFICATION_REQUEST_CODE_SUCCESS');
  owner.send('VERIFICATION_SUBMIT_CODE_REQUEST', { verification_code: '12345678' });
  await (await core.next('VERIFICATION_SUBMIT_CODE')).succeed({});
  await owner.next('VERIFICATION_SUBMIT_CODE_SUCCESS');
  const asked = () => core.received.filter(({ type }) => type === 'AUTHORIZATION_SIGN_IN').length;
  const refused = (client: TestClient) => client.received('AUTHORIZATION_SIGN_IN_FAILURE').length;
  /** What the core says if it is asked. @returns whether it was */
  async function signIn(client: TestClient, verification_code: string, answer: string): Promise<boolean> {
    const [before, told] = [asked(), refused(client)];
    client.send('AUTHORIZATION_SIGN_IN_REQUEST', { ...number, verification_code });
    await eventually(() => refused(client) > told || asked() > before, 'refused, or asked');
    if (asked() === before) return false;
    await (await core.next('AUTHORIZATION_SIGN_IN')).refuse(answer);
    await client.waitFor(() => refused(client) > told);
    return true;
  }
  const tooMany = 'too many attempts: try again in 3600 s';
  // Until the gateway knows, and the neighbour has had what it asks again.
  await until(
    'the gateway refuses the neighbour',
    async () => !(await signIn(neighbour, '11111111', tooMany)),
  );
  expect(await signIn(owner, '12345678', 'server busy')).toBe(true);
  expect(await signIn(owner, '12345678', 'server busy')).toBe(true);
  expect(await signIn(owner, '12345678', 'wrong phone number or verification code')).toBe(true);
  // From then on like everybody.
  await until('the gateway refuses the owner', async () => !(await signIn(owner, '12345678', tooMany)));
});

test('a user who has signed in too often is told so by the gateway, with a token, too', async () => {
  const [client, sid] = [await fixture.connect(), uniqueSid()];
  const refused = () => client.received('AUTHORIZATION_SIGN_IN_FAILURE').length;
  const asked = () => fixture.core.received.filter(({ type }) => type === 'AUTHORIZATION_SIGN_IN').length;
  const before = asked();
  const times = 30;
  const signIn = { ...phoneOf(sid), verification_code: 't'.repeat(43) };
  for (let n = 0; n < times; n += 1) client.send('AUTHORIZATION_SIGN_IN_REQUEST', signIn);
  let answered = 0;
  while (refused() < times) {
    await eventually(() => refused() === times || asked() - before > answered, 'refused, or asked');
    if (asked() - before === answered) break;
    await (await fixture.core.next('AUTHORIZATION_SIGN_IN')).refuse('too many requests: try again in 3600 s');
    answered += 1;
  }
  await client.waitFor(() => refused() === times);
  expect(answered).toBeLessThan(times);
});

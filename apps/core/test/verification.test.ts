import { metrics, type TestClient, uniqueSid } from '@hooligram/testkit';
import { describe, expect, test } from '@jest/globals';
import {
  contents,
  createGroup,
  errorsOf,
  messagesOnly,
  numberOf,
  receiveMessage,
  sendMessage,
  startFixture,
  state,
} from './fixture.ts';

// The provider writes each code to the core's log, as a phone would show it: codes differ, and one core has them all.
const fixture = startFixture({
  gateways: 2,
  cores: 1,
  coreEnv: { VERIFICATION_PROVIDER: 'log', VERIFICATION_CODE_DIGITS: '6', VERIFICATION_ATTEMPTS_MAX: '3' },
});

const wrongCredential = ['wrong phone number or verification code'];
const notSignedIn = ['not signed in'];
const emptyCode = ['payload.verification_code: must not be empty'];

/** The code that was last sent to a number. The log shows two digits of it; numbers of one file differ in them. */
function lastCode(sid: string): string {
  const lines = [
    ...fixture.system
      .core(0)
      .log()
      .matchAll(/"sid":"\d+\.•+(\d\d)","code":"(\d{6})"/g),
  ];
  const line = lines.findLast(([, end]) => end === sid.slice(-2));
  if (!line?.[2]) throw new Error(`no code was sent to ${sid}: ${fixture.system.core(0).log()}`);
  return line[2];
}

/** @returns a code for the number that is none of these */
function otherThan(...codes: readonly string[]): string {
  return ['111111', '222222', '333333', '444444'].find((code) => !codes.includes(code)) as string;
}

/** @returns the code */
async function ask(client: TestClient, sid: string): Promise<string> {
  await client.requestOk('VERIFICATION_REQUEST_CODE', numberOf(sid));
  return lastCode(sid);
}

/** Requests codes until one is not `old`: one in a million times that takes two. */
async function askForAnother(client: TestClient, sid: string, old: string): Promise<string> {
  const code = await ask(client, sid);
  return code === old ? askForAnother(client, sid, old) : code;
}

const submit = (client: TestClient, verification_code: string) =>
  client.requestOk('VERIFICATION_SUBMIT_CODE', { verification_code });

const submitErrors = (client: TestClient, verification_code: string) =>
  errorsOf({ client }, 'VERIFICATION_SUBMIT_CODE', { verification_code });

const signInErrors = (client: TestClient, sid: string, verification_code: string) =>
  errorsOf({ client }, 'AUTHORIZATION_SIGN_IN', { ...numberOf(sid), verification_code });

const isSignedIn = async (client: TestClient) =>
  (await errorsOf({ client }, 'GROUP_LEAVE', { group_id: Number.MAX_SAFE_INTEGER }))?.[0] !== notSignedIn[0];

/** A user with a credential, who is not signed in. */
async function registered(): Promise<{ sid: string; code: string }> {
  const sid = uniqueSid();
  const client = await fixture.connect(0);
  const code = await ask(client, sid);
  await submit(client, code);
  return { sid, code };
}

describe('a number is verified', () => {
  test('by requesting a code and submitting it; signing in is a request of its own', async () => {
    const sid = uniqueSid();
    const client = await fixture.connect(0);
    expect(await client.request('VERIFICATION_REQUEST_CODE', numberOf(sid), 'one')).toEqual({
      id: 'one',
      type: 'VERIFICATION_REQUEST_CODE_SUCCESS',
      payload: {},
    });
    const verification_code = lastCode(sid);
    expect(await client.request('VERIFICATION_SUBMIT_CODE', { verification_code }, 'two')).toEqual({
      id: 'two',
      type: 'VERIFICATION_SUBMIT_CODE_SUCCESS',
      payload: { token: expect.stringMatching(/^[\w-]{36}$/) },
    });
    expect(await isSignedIn(client)).toBe(false);
    const credential = { ...numberOf(sid), verification_code };
    expect(await client.request('AUTHORIZATION_SIGN_IN', credential, 'three')).toEqual({
      id: 'three',
      type: 'AUTHORIZATION_SIGN_IN_SUCCESS',
      payload: {},
    });
    expect(await isSignedIn(client)).toBe(true);
  });

  test.each([
    ['no country code', { phone_number: '5550100' }, ['payload.country_code: is required']],
    [
      'a plus sign',
      { country_code: '+1', phone_number: '5550100' },
      ['payload.country_code: must be 1 to 3 digits'],
    ],
    [
      'an empty country code',
      { country_code: '', phone_number: '5550100' },
      ['payload.country_code: must be 1 to 3 digits'],
    ],
    [
      'four digits of country code',
      { country_code: '1234', phone_number: '5550100' },
      ['payload.country_code: must be 1 to 3 digits'],
    ],
    [
      'a country code that no country has',
      { country_code: '15', phone_number: '4828935' },
      ['payload.country_code: must be an assigned country code'],
    ],
    [
      'a country code that is a number',
      { country_code: 1, phone_number: '5550100' },
      ['payload.country_code: must be a string'],
    ],
    [
      'three digits',
      { country_code: '1', phone_number: '555' },
      ['payload.phone_number: must be 4 to 14 digits'],
    ],
    [
      'fifteen digits',
      { country_code: '1', phone_number: '123456789012345' },
      ['payload.phone_number: must be 4 to 14 digits'],
    ],
    [
      'digits of another script',
      { country_code: '1', phone_number: '٥٥٥٠١٠٠' },
      ['payload.phone_number: must be 4 to 14 digits'],
    ],
    [
      'a space',
      { country_code: '1', phone_number: '555 0100' },
      ['payload.phone_number: must be 4 to 14 digits'],
    ],
    [
      'a line feed at the end',
      { country_code: '1', phone_number: '5550100\n' },
      ['payload.phone_number: must be 4 to 14 digits'],
    ],
    [
      'sixteen digits together',
      { country_code: '353', phone_number: '1234567890123' },
      ['payload.phone_number: must have at most 15 digits together with the country code'],
    ],
    [
      'two faults',
      { country_code: 'x', phone_number: 'y' },
      ['payload.country_code: must be 1 to 3 digits', 'payload.phone_number: must be 4 to 14 digits'],
    ],
  ])('only if it is one: %s is refused, also at sign-in', async (_what, number, errors) => {
    const client = await fixture.connect(0);
    expect(await errorsOf({ client }, 'VERIFICATION_REQUEST_CODE', number)).toEqual(errors);
    const signIn = { ...number, verification_code: '000000' };
    expect(await errorsOf({ client }, 'AUTHORIZATION_SIGN_IN', signIn)).toEqual(errors);
  });

  test('from the shortest number to the longest', async () => {
    const client = await fixture.connect(0);
    for (const sid of ['7.1234', '7.12345678901234', '353.123456789012']) {
      await submit(client, await ask(client, sid));
      expect((await client.request('VERIFICATION_SUBMIT_CODE', { verification_code: '1' })).payload).toEqual({
        errors: ['no code was requested on this connection'],
      });
    }
  });
});

describe('a code that was submitted rightly', () => {
  test('is the credential of every later sign-in, on every gateway, also after the core was restarted', async () => {
    const { sid, code } = await registered();
    for (const gateway of [0, 1]) await (await fixture.connect(gateway)).authorize(sid, code);
    await fixture.system.core(0).stop();
    await fixture.system.core(0).start();
    for (const gateway of [0, 1]) await (await fixture.connect(gateway)).authorize(sid, code);
  });

  test('replaces the credential before it', async () => {
    const { sid, code } = await registered();
    const client = await fixture.connect(0);
    const newer = await askForAnother(client, sid, code);
    await submit(client, newer);
    expect(await signInErrors(client, sid, code)).toEqual(wrongCredential);
    await client.authorize(sid, newer);
  });

  test('is used up: it cannot be submitted again, here or elsewhere', async () => {
    const sid = uniqueSid();
    const client = await fixture.connect(0);
    const other = await fixture.connect(0);
    const code = await ask(client, sid);
    await submit(client, code);
    const none = ['no code was requested on this connection'];
    expect(await submitErrors(client, code)).toEqual(none);
    expect(await submitErrors(other, code)).toEqual(none);
  });

  test('does not sign in', async () => {
    const sid = uniqueSid();
    const client = await fixture.connect(0);
    await submit(client, await ask(client, sid));
    const member_sids = [sid, uniqueSid()];
    expect(await errorsOf({ client }, 'GROUP_CREATE', { group_name: '', member_sids })).toEqual(notSignedIn);
  });

  test('is the credential of its own number alone', async () => {
    const ada = await registered();
    const bob = uniqueSid();
    const client = await fixture.connect(0);
    await submit(client, await askForAnother(client, bob, ada.code));
    expect(await signInErrors(client, bob, ada.code)).toEqual(wrongCredential);
    expect(await signInErrors(client, uniqueSid(), ada.code)).toEqual(wrongCredential);
  });
});

describe('requesting a code', () => {
  test('registers no user: the number cannot sign in and cannot be added to a group', async () => {
    const sid = uniqueSid();
    const client = await fixture.connect(0);
    const code = await ask(client, sid);
    expect(await signInErrors(client, sid, code)).toEqual(wrongCredential);
    const owner = await registered();
    const ada = { sid: owner.sid, client: await fixture.connect(1) };
    await ada.client.authorize(ada.sid, owner.code);
    const group_id = await createGroup(ada, [uniqueSid(), uniqueSid()]);
    expect(await errorsOf(ada, 'GROUP_ADD_MEMBER', { group_id, member_sid: sid })).toEqual([
      'payload.member_sid: nobody has this sid',
    ]);
  });

  test('leaves the credential of a registered number alone, whatever a stranger submits then', async () => {
    const { sid, code } = await registered();
    const stranger = await fixture.connect(1);
    const sent = await ask(stranger, sid);
    const wrong = otherThan(code, sent);
    expect(await signInErrors(stranger, sid, '')).toEqual(emptyCode);
    expect(await submitErrors(stranger, '')).toEqual(emptyCode);
    for (const expected of ['wrong code', 'wrong code', 'wrong code', 'too many attempts']) {
      expect(await submitErrors(stranger, wrong)).toEqual([expected]);
    }
    expect(await signInErrors(stranger, sid, wrong)).toEqual(wrongCredential);
    await (await fixture.connect(0)).authorize(sid, code);
  });

  test('makes no credential of a code that is not submitted', async () => {
    const { sid, code } = await registered();
    const client = await fixture.connect(0);
    const newer = await askForAnother(client, sid, code);
    expect(await signInErrors(client, sid, newer)).toEqual(wrongCredential);
    await client.authorize(sid, code);
  });

  test('again on a connection makes the latest code the only one', async () => {
    const sid = uniqueSid();
    const client = await fixture.connect(0);
    const first = await ask(client, sid);
    const second = await askForAnother(client, sid, first);
    expect(await submitErrors(client, first)).toEqual(['wrong code']);
    await submit(client, second);
    await client.authorize(sid, second);
  });

  test('for another number on a connection makes that number the one that is registered', async () => {
    const [first, second] = [uniqueSid(), uniqueSid()];
    const client = await fixture.connect(0);
    const firstCode = await ask(client, first);
    const secondCode = await askForAnother(client, second, firstCode);
    expect(await submitErrors(client, firstCode)).toEqual(['wrong code']);
    await submit(client, secondCode);
    for (const code of [firstCode, secondCode]) {
      expect(await signInErrors(client, first, code)).toEqual(wrongCredential);
    }
    await client.authorize(second, secondCode);
  });
});

describe('a code', () => {
  test('that is empty matches nothing, for any number', async () => {
    const known = await registered();
    const owner = { sid: known.sid, client: await fixture.connect(0) };
    await owner.client.authorize(owner.sid, known.code);
    const [unverified, asked, unknown] = [uniqueSid(), uniqueSid(), uniqueSid()];
    await createGroup(owner, [unverified]);
    const client = await fixture.connect(1);
    expect(await submitErrors(client, '')).toEqual(emptyCode);
    const code = await ask(client, asked);
    expect(await submitErrors(client, '')).toEqual(emptyCode);
    for (const sid of [known.sid, unverified, asked, unknown]) {
      expect(await signInErrors(client, sid, '')).toEqual(emptyCode);
      expect(await isSignedIn(client)).toBe(false);
    }
    await submit(client, code);
  });

  test('cannot be submitted on a connection that requested none', async () => {
    const client = await fixture.connect(0);
    expect(await submitErrors(client, '000000')).toEqual(['no code was requested on this connection']);
  });

  test.each([
    ['the same gateway', 0],
    ['another gateway', 1],
  ])('cannot be submitted on the connection of another user, on %s', async (_where, gateway) => {
    const [ada, eve] = [uniqueSid(), uniqueSid()];
    const own = await fixture.connect(0);
    const stranger = await fixture.connect(gateway);
    const code = await ask(own, ada);
    expect(await submitErrors(stranger, code)).toEqual(['no code was requested on this connection']);
    await askForAnother(stranger, eve, code);
    expect(await submitErrors(stranger, code)).toEqual(['wrong code']);
    expect(await signInErrors(stranger, ada, code)).toEqual(wrongCredential);
    await submit(own, code);
    await own.authorize(ada, code);
  });

  test('is still good after a wrong one', async () => {
    const sid = uniqueSid();
    const client = await fixture.connect(0);
    const code = await ask(client, sid);
    for (const wrong of [otherThan(code), `${code}0`]) {
      expect(await submitErrors(client, wrong)).toEqual(['wrong code']);
    }
    await submit(client, code);
    await client.authorize(sid, code);
  });

  test('is no good any more after too many wrong ones, but a new one is', async () => {
    const sid = uniqueSid();
    const client = await fixture.connect(0);
    const code = await ask(client, sid);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect(await submitErrors(client, otherThan(code))).toEqual(['wrong code']);
    }
    expect(await submitErrors(client, code)).toEqual(['too many attempts']);
    expect(await signInErrors(client, sid, code)).toEqual(wrongCredential);
    const newer = await ask(client, sid);
    await submit(client, newer);
    await client.authorize(sid, newer);
  });

  test('has 1 to 64 characters', async () => {
    const client = await fixture.connect(0);
    await ask(client, uniqueSid());
    expect(await submitErrors(client, '0'.repeat(65))).toEqual([
      'payload.verification_code: must be at most 64 characters',
    ]);
    expect(await submitErrors(client, '0'.repeat(64))).toEqual(['wrong code']);
    expect(await submitErrors(client, '0')).toEqual(['wrong code']);
  });
});

test('each verdict on a submitted code is counted', async () => {
  const verdicts = ['right', 'wrong', 'none', 'too_many', 'expired', 'unavailable', 'failed', 'limited'];
  const counted = async () => {
    const { value } = await metrics(fixture.system.core(0).adminUrl);
    return verdicts.map((verdict) => value('hooligram_core_codes_submitted_total', { verdict }));
  };
  const before = await counted();
  const sid = uniqueSid();
  const client = await fixture.connect(0);
  let code = await ask(client, sid);
  for (let times = 0; times < 4; times += 1) await submitErrors(client, otherThan(code));
  code = await ask(client, sid);
  await submit(client, code);
  await submitErrors(client, code);
  const after = await counted();
  expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual([1, 3, 1, 1, 0, 0, 0, 0]);
});

describe('signing in', () => {
  test('gives a wrong code, an unverified user and an unknown number the same answer', async () => {
    const { sid, code } = await registered();
    const owner = { sid, client: await fixture.connect(0) };
    await owner.client.authorize(sid, code);
    const unverified = uniqueSid();
    await createGroup(owner, [unverified]);
    const client = await fixture.connect(0);
    for (const who of [sid, unverified, uniqueSid()]) {
      expect(await signInErrors(client, who, otherThan(code))).toEqual(wrongCredential);
    }
    expect(await isSignedIn(client)).toBe(false);
  });

  test('as another user on a signed-in connection fails, and the connection keeps its user', async () => {
    const [ada, bob] = [await registered(), await registered()];
    const client = await fixture.connect(0);
    await client.authorize(ada.sid, ada.code);
    for (const code of [bob.code, otherThan(bob.code)]) {
      expect(await signInErrors(client, bob.sid, code)).toEqual(['already signed in as somebody else']);
    }
    const person = { sid: ada.sid, client };
    const group_id = await createGroup(person, [bob.sid]);
    const delivered = await receiveMessage(person, await sendMessage(person, group_id, 'still Ada'));
    expect(delivered.payload.sender_sid).toBe(ada.sid);
  });

  test('again as the same user succeeds and replays everything again', async () => {
    const { sid, code } = await registered();
    const ada = { sid, client: await fixture.connect(0, { acknowledge: false }) };
    await ada.client.authorize(sid, code);
    const group_id = await createGroup(ada, [uniqueSid()]);
    const live = [
      await state(ada, group_id),
      await receiveMessage(ada, await sendMessage(ada, group_id, 'once')),
    ];
    const before = ada.client.frames.length;
    await ada.client.authorize(sid, code);
    const replayed = [
      await state(ada, group_id),
      await receiveMessage(ada, live[1]?.payload.message_id as number),
    ];
    expect(replayed).toEqual(live);
    expect(ada.client.frames.slice(before).map(({ type }) => type)).toEqual([
      'AUTHORIZATION_SIGN_IN_SUCCESS',
      'GROUP_DELIVER_REQUEST',
      'MESSAGING_DELIVER_REQUEST',
    ]);
    await receiveMessage(ada, await sendMessage(ada, group_id, 'and it goes on'));
    expect(contents(ada, group_id)).toEqual(['once', 'and it goes on']);
  });

  test('again with a wrong code fails and changes nothing', async () => {
    const { sid, code } = await registered();
    const ada = { sid, client: await fixture.connect(0, messagesOnly) };
    await ada.client.authorize(sid, code);
    const group_id = await createGroup(ada, [uniqueSid()]);
    expect(await signInErrors(ada.client, sid, otherThan(code))).toEqual(wrongCredential);
    expect((await receiveMessage(ada, await sendMessage(ada, group_id, 'still here'))).payload.content).toBe(
      'still here',
    );
  });

  test('needs no verification on the same connection, and leaves a code that was requested there alone', async () => {
    const ada = await registered();
    const bob = uniqueSid();
    const client = await fixture.connect(0);
    const code = await ask(client, bob);
    await client.authorize(ada.sid, ada.code);
    await submit(client, code);
    await (await fixture.connect(1)).authorize(bob, code);
  });
});

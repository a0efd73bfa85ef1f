import {
  closeReasons,
  errorTexts,
  faultTexts,
  phoneOf,
  verificationCodeCharactersMax,
} from '@hooligram/protocol';
import type { Checks } from '../check.ts';
import { expectEqual, expectThat } from '../failure.ts';

const empty = [`payload.verification_code: ${faultTexts.empty}`];

export const verificationSubmitCode: Checks = {
  async 'becomes-credential: a right code becomes the credential, for every later sign-in on every connection'(
    fixture,
  ) {
    const user = await fixture.newUser();
    for (let times = 0; times < 3; times += 1) await (await fixture.signedInAs(user)).close();
  },
  async 'replaces-credential: a newer right code replaces the credential'(fixture) {
    const first = await fixture.newUser();
    const code = await fixture.signUp(await fixture.connect(), first.sid);
    await fixture.signedInAs({ sid: first.sid, code });
    // Where every code is the same there is no old one to refuse.
    if (code === first.code) return;
    const old = { ...phoneOf(first.sid), verification_code: first.code };
    await (await fixture.connect()).refuse('AUTHORIZATION_SIGN_IN', old, [errorTexts.wrongCredential.text]);
  },
  async 'token: the answer to a right code brings a token, which signs in as the code does and is no other user’s'(
    fixture,
  ) {
    const sid = fixture.unknownSid();
    const { token } = await fixture.verify(await fixture.connect(), sid);
    const length = typeof token === 'string' ? token.length : 0;
    // 128 bits in base64url; a sign-in takes 64 characters.
    expectThat(length >= 22 && length <= verificationCodeCharactersMax, `token of ${length} characters`);
    for (let times = 0; times < 2; times += 1) await fixture.signedInAs({ sid, code: token });
    const stranger = { ...phoneOf(fixture.unknownSid()), verification_code: token };
    await (await fixture.connect()).refuse('AUTHORIZATION_SIGN_IN', stranger, [
      errorTexts.wrongCredential.text,
    ]);
  },
  async 'token-voids-code: the first sign-in with the token ends the life of the code as a credential'(
    fixture,
  ) {
    const sid = fixture.unknownSid();
    const { code, token } = await fixture.verify(await fixture.connect(), sid);
    const byCode = { ...phoneOf(sid), verification_code: code };
    await (await fixture.connect()).succeed('AUTHORIZATION_SIGN_IN', byCode);
    await fixture.signedInAs({ sid, code: token });
    await (await fixture.connect()).refuse('AUTHORIZATION_SIGN_IN', byCode, [
      errorTexts.wrongCredential.text,
    ]);
  },
  async 'ends-sessions: a new credential closes the connections of the one before with 4401, and no other'(
    fixture,
  ) {
    const sid = fixture.unknownSid();
    const first = await fixture.verify(await fixture.connect(), sid);
    const old = await fixture.signedInAs({ sid, code: first.token });
    const verifying = await fixture.signedInAs({ sid, code: first.token });
    const second = await fixture.verify(verifying, sid);
    const { code } = await old.closeByServer(fixture.options.timeoutMs, 'its credential was replaced');
    expectEqual(code, closeReasons.credentialEnded.code, 'close code of the session of the old credential');
    const replaced = { ...phoneOf(sid), verification_code: first.token };
    await (await fixture.connect()).refuse('AUTHORIZATION_SIGN_IN', replaced, [
      errorTexts.wrongCredential.text,
    ]);
    await fixture.signedInAs({ sid, code: second.token });
    await verifying.succeed('AUTHORIZATION_SIGN_IN', { ...phoneOf(sid), verification_code: second.token });
  },
  async 'does-not-sign-in: submitting a code does not sign in'(fixture) {
    const client = await fixture.connect();
    await fixture.signUp(client, fixture.unknownSid());
    await client.refuse('GROUP_LEAVE', { group_id: 1 }, [errorTexts.notSignedIn.text]);
  },
  async 'none-requested: a connection that asked for no code gets FAILURE, whoever asked on another one'(
    fixture,
  ) {
    const [asking, other] = [await fixture.connect(), await fixture.connect()];
    const sid = fixture.unknownSid();
    await asking.succeed('VERIFICATION_REQUEST_CODE', phoneOf(sid));
    const verification_code = await fixture.options.codeOf(sid);
    await other.refuse('VERIFICATION_SUBMIT_CODE', { verification_code }, [errorTexts.noCodeRequested.text]);
    await asking.succeed('VERIFICATION_SUBMIT_CODE', { verification_code });
  },
  async 'latest-counts: the code is submitted for the number that the connection asked for last'(fixture) {
    const client = await fixture.connect();
    const [first, last] = [fixture.unknownSid(), fixture.unknownSid()];
    await client.succeed('VERIFICATION_REQUEST_CODE', phoneOf(first));
    const code = await fixture.signUp(client, last);
    const signIn = (sid: string) => ({ ...phoneOf(sid), verification_code: code });
    await client.refuse('AUTHORIZATION_SIGN_IN', signIn(first), [errorTexts.wrongCredential.text]);
    await client.succeed('AUTHORIZATION_SIGN_IN', signIn(last));
  },
  async 'wrong-and-empty: neither a wrong code nor an empty one matches, and the right one still does afterwards'(
    fixture,
  ) {
    const client = await fixture.connect();
    const sid = fixture.unknownSid();
    await client.succeed('VERIFICATION_REQUEST_CODE', phoneOf(sid));
    await client.refuse('VERIFICATION_SUBMIT_CODE', { verification_code: '' }, empty);
    const verification_code = await fixture.options.codeOf(sid);
    const wrong = { verification_code: `${verification_code}x` };
    await client.refuse('VERIFICATION_SUBMIT_CODE', wrong, [errorTexts.wrongCode.text]);
    await client.refuse('AUTHORIZATION_SIGN_IN', { ...phoneOf(sid), verification_code: '' });
    await client.refuse('AUTHORIZATION_SIGN_IN', { ...phoneOf(sid), ...wrong });
    await client.succeed('VERIFICATION_SUBMIT_CODE', { verification_code });
  },
};

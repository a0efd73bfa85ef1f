import { errorTexts, faultTexts } from '@hooligram/protocol';
import type { Topic } from '../check.ts';
import { numberOf } from '../people.ts';

const empty = [`payload.verification_code: ${faultTexts.empty}`];

export const verificationSubmitCode: Topic = {
  name: 'verification-submit-code',
  checks: [
    {
      name: 'becomes-credential',
      title: 'a right code becomes the credential, for every later sign-in on every connection',
      async run(stage) {
        const person = await stage.newcomer();
        for (let times = 0; times < 3; times += 1) await (await stage.enterAs(person)).close();
      },
    },
    {
      name: 'replaces-credential',
      title: 'a newer right code replaces the credential',
      async run(stage) {
        const first = await stage.newcomer();
        const code = await stage.signUp(await stage.connect(), first.sid);
        await stage.enterAs({ sid: first.sid, code });
        // Where every code is the same there is no old one to refuse.
        if (code === first.code) return;
        const old = { ...numberOf(first.sid), verification_code: first.code };
        await (await stage.connect()).refuse('AUTHORIZATION_SIGN_IN', old, [errorTexts.wrongCredential.text]);
      },
    },
    {
      name: 'does-not-sign-in',
      title: 'submitting a code does not sign in',
      async run(stage) {
        const peer = await stage.connect();
        await stage.signUp(peer, stage.stranger());
        await peer.refuse('GROUP_LEAVE', { group_id: 1 }, [errorTexts.notSignedIn.text]);
      },
    },
    {
      name: 'none-requested',
      title: 'a connection that asked for no code gets FAILURE, whoever asked on another one',
      async run(stage) {
        const [asking, other] = [await stage.connect(), await stage.connect()];
        const sid = stage.stranger();
        await asking.succeed('VERIFICATION_REQUEST_CODE', numberOf(sid));
        const verification_code = await stage.options.codeOf(sid);
        await other.refuse('VERIFICATION_SUBMIT_CODE', { verification_code }, [
          errorTexts.noCodeRequested.text,
        ]);
        await asking.succeed('VERIFICATION_SUBMIT_CODE', { verification_code });
      },
    },
    {
      name: 'latest-counts',
      title: 'the code is submitted for the number that the connection asked for last',
      async run(stage) {
        const peer = await stage.connect();
        const [first, last] = [stage.stranger(), stage.stranger()];
        await peer.succeed('VERIFICATION_REQUEST_CODE', numberOf(first));
        const code = await stage.signUp(peer, last);
        const signIn = (sid: string) => ({ ...numberOf(sid), verification_code: code });
        await peer.refuse('AUTHORIZATION_SIGN_IN', signIn(first), [errorTexts.wrongCredential.text]);
        await peer.succeed('AUTHORIZATION_SIGN_IN', signIn(last));
      },
    },
    {
      name: 'wrong-and-empty',
      title: 'neither a wrong code nor an empty one matches, and the right one still does afterwards',
      async run(stage) {
        const peer = await stage.connect();
        const sid = stage.stranger();
        await peer.succeed('VERIFICATION_REQUEST_CODE', numberOf(sid));
        await peer.refuse('VERIFICATION_SUBMIT_CODE', { verification_code: '' }, empty);
        const verification_code = await stage.options.codeOf(sid);
        const wrong = { verification_code: `${verification_code}x` };
        await peer.refuse('VERIFICATION_SUBMIT_CODE', wrong, [errorTexts.wrongCode.text]);
        await peer.refuse('AUTHORIZATION_SIGN_IN', { ...numberOf(sid), verification_code: '' });
        await peer.refuse('AUTHORIZATION_SIGN_IN', { ...numberOf(sid), ...wrong });
        await peer.succeed('VERIFICATION_SUBMIT_CODE', { verification_code });
      },
    },
  ],
};

import { errorTexts, faultTexts, phoneOf } from '@hooligram/protocol';
import type { Checks } from '../check.ts';
import type { Client } from '../client.ts';
import { expectEqual } from '../failure.ts';

const wrongCredential = [errorTexts.wrongCredential.text];
const notSignedIn = [errorTexts.notSignedIn.text];

/** Requests that need a sign-in, sound ones and faulty ones. */
async function refusesAll(client: Client): Promise<void> {
  for (const payload of [{ group_id: 1 }, { group_id: 'x' }, {}, [], null, 'x']) {
    await client.refuse('GROUP_LEAVE', payload, notSignedIn);
  }
  await client.refuse(
    'GROUP_CREATE',
    { group_name: '', member_sids: ['888.12345550100', '888.12345550101'] },
    notSignedIn,
  );
  await client.refuse('GROUP_CREATE', { group_name: 5, member_sids: ['x'] }, notSignedIn);
  await client.refuse('GROUP_ADD_MEMBER', { group_id: 1, member_sid: '888.12345550100' }, notSignedIn);
  await client.refuse('GROUP_ADD_MEMBER', {}, notSignedIn);
  await client.refuse('MESSAGING_SEND', { group_id: 1, content: 'x' }, notSignedIn);
  await client.refuse('MESSAGING_SEND', { group_id: 0, content: '' }, notSignedIn);
  await client.refuse('MESSAGING_SEND', {}, notSignedIn, '');
}

export const authorizationSignIn: Checks = {
  async 'needs-credential: nobody signs in with a wrong credential, an empty one, or for a number without one'(
    fixture,
  ) {
    const { sid, code } = await fixture.newUser();
    const client = await fixture.connect();
    const wrong = { ...phoneOf(sid), verification_code: `${code}x` };
    await client.refuse('AUTHORIZATION_SIGN_IN', wrong, wrongCredential);
    const empty = { ...phoneOf(sid), verification_code: '' };
    await client.refuse('AUTHORIZATION_SIGN_IN', empty, [`payload.verification_code: ${faultTexts.empty}`]);
    const nobody = { ...phoneOf(fixture.unknownSid()), verification_code: code };
    await client.refuse('AUTHORIZATION_SIGN_IN', nobody, wrongCredential);
    await client.refuse('GROUP_LEAVE', { group_id: 1 }, notSignedIn);
  },
  async 'not-signed-in: before the sign-in every GROUP and MESSAGING_SEND request gets `not signed in`, whatever else is wrong'(
    fixture,
  ) {
    await refusesAll(await fixture.connect());
  },
  async 'stranger-to-groups: somebody who was named in a group but never signed up cannot sign in'(fixture) {
    const member = await fixture.signedIn();
    const sid = fixture.unknownSid();
    await fixture.create(member, [member.sid, sid]);
    const client = await fixture.connect();
    for (const verification_code of ['000000', `${member.user.code}`]) {
      await client.refuse('AUTHORIZATION_SIGN_IN', { ...phoneOf(sid), verification_code }, wrongCredential);
    }
  },
  async 'as-somebody-else: a second sign-in as somebody else fails, and the connection stays the first user’s'(
    fixture,
  ) {
    const [client, other] = [await fixture.signedIn(), await fixture.signedIn()];
    const { group_id } = await fixture.group(client);
    const asOther = { ...phoneOf(other.sid), verification_code: other.user.code };
    await client.refuse('AUTHORIZATION_SIGN_IN', asOther, [errorTexts.alreadySignedIn.text]);
    const delivered = await client.message(await fixture.send(client, group_id, 'still me'));
    expectEqual(delivered.payload.sender_sid, client.sid, 'sender_sid');
  },
  async 'again: a second sign-in as the same user succeeds and replays again'(fixture) {
    const { ada: sender, bob: client, group_id } = await fixture.pair({ acknowledges: false });
    const message_id = await fixture.send(sender, group_id, 'unacknowledged');
    await client.message(message_id);
    const seen = client.frames.length;
    await fixture.signIn(client, client.user);
    await client.state(group_id, undefined, seen);
    await client.message(message_id, seen);
  },
};

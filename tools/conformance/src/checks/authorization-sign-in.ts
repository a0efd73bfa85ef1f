import { errorTexts, faultTexts } from '@hooligram/protocol';
import type { Topic } from '../check.ts';
import { expectEqual } from '../failure.ts';
import type { Peer } from '../peer.ts';
import { numberOf } from '../people.ts';

const wrongCredential = [errorTexts.wrongCredential.text];
const notSignedIn = [errorTexts.notSignedIn.text];

/** Requests that need a sign-in, sound ones and faulty ones. */
async function refusesAll(peer: Peer): Promise<void> {
  for (const payload of [{ group_id: 1 }, { group_id: 'x' }, {}, [], null, 'x']) {
    await peer.refuse('GROUP_LEAVE', payload, notSignedIn);
  }
  await peer.refuse(
    'GROUP_CREATE',
    { group_name: '', member_sids: ['888.12345550100', '888.12345550101'] },
    notSignedIn,
  );
  await peer.refuse('GROUP_CREATE', { group_name: 5, member_sids: ['x'] }, notSignedIn);
  await peer.refuse('GROUP_ADD_MEMBER', { group_id: 1, member_sid: '888.12345550100' }, notSignedIn);
  await peer.refuse('GROUP_ADD_MEMBER', {}, notSignedIn);
  await peer.refuse('MESSAGING_SEND', { group_id: 1, content: 'x' }, notSignedIn);
  await peer.refuse('MESSAGING_SEND', { group_id: 0, content: '' }, notSignedIn);
  await peer.refuse('MESSAGING_SEND', {}, notSignedIn, '');
}

export const authorizationSignIn: Topic = {
  name: 'authorization-sign-in',
  checks: [
    {
      name: 'needs-credential',
      title: 'nobody signs in with a wrong credential, an empty one, or for a number without one',
      async run(stage) {
        const { sid, code } = await stage.newcomer();
        const peer = await stage.connect();
        const wrong = { ...numberOf(sid), verification_code: `${code}x` };
        await peer.refuse('AUTHORIZATION_SIGN_IN', wrong, wrongCredential);
        const empty = { ...numberOf(sid), verification_code: '' };
        await peer.refuse('AUTHORIZATION_SIGN_IN', empty, [`payload.verification_code: ${faultTexts.empty}`]);
        const nobody = { ...numberOf(stage.stranger()), verification_code: code };
        await peer.refuse('AUTHORIZATION_SIGN_IN', nobody, wrongCredential);
        await peer.refuse('GROUP_LEAVE', { group_id: 1 }, notSignedIn);
      },
    },
    {
      name: 'not-signed-in',
      title:
        'before the sign-in every GROUP and MESSAGING_SEND request gets `not signed in`, whatever else is wrong',
      async run(stage) {
        await refusesAll(await stage.connect());
      },
    },
    {
      name: 'stranger-to-groups',
      title: 'somebody who was named in a group but never signed up cannot sign in',
      async run(stage) {
        const member = await stage.enter();
        const sid = stage.stranger();
        await stage.create(member, [member.sid, sid]);
        const peer = await stage.connect();
        for (const verification_code of ['000000', `${member.person.code}`]) {
          await peer.refuse(
            'AUTHORIZATION_SIGN_IN',
            { ...numberOf(sid), verification_code },
            wrongCredential,
          );
        }
      },
    },
    {
      name: 'as-somebody-else',
      title: 'a second sign-in as somebody else fails, and the connection stays the first person’s',
      async run(stage) {
        const [peer, other] = [await stage.enter(), await stage.enter()];
        const { group_id } = await stage.group(peer);
        const asOther = { ...numberOf(other.sid), verification_code: other.person.code };
        await peer.refuse('AUTHORIZATION_SIGN_IN', asOther, [errorTexts.alreadySignedIn.text]);
        const delivered = await peer.message(await stage.say(peer, group_id, 'still me'));
        expectEqual(delivered.payload.sender_sid, peer.sid, 'sender_sid');
      },
    },
    {
      name: 'again',
      title: 'a second sign-in as the same person succeeds and replays again',
      async run(stage) {
        const sender = await stage.enter();
        const peer = await stage.enter({ acknowledges: false });
        const { group_id } = await stage.group(sender, peer);
        const message_id = await stage.say(sender, group_id, 'unacknowledged');
        await peer.message(message_id);
        const seen = peer.frames.length;
        await stage.signIn(peer, peer.person);
        await peer.state(group_id, undefined, seen);
        await peer.message(message_id, seen);
      },
    },
  ],
};

import { errorTexts } from '@hooligram/protocol';
import type { Checks } from '../check.ts';
import { expectEqual } from '../failure.ts';

const notAMember = [errorTexts.notAMember.text];

export const groupAddMember: Checks = {
  async 'told: all members, the new one too, are sent the new state'(fixture) {
    const [ada, bob, eve] = [await fixture.signedIn(), await fixture.signedIn(), await fixture.signedIn()];
    const { group_id, member_sids } = await fixture.group(ada, bob);
    await ada.succeed('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid });
    for (const client of [ada, bob, eve]) await client.state(group_id, [...member_sids, eve.sid]);
  },
  async 'caller: only a member adds users, and nobody learns whether a group exists'(fixture) {
    const [ada, outsider] = [await fixture.signedIn(), await fixture.signedIn()];
    const { group_id } = await fixture.group(ada);
    const member_sid = outsider.sid;
    await outsider.refuse('GROUP_ADD_MEMBER', { group_id, member_sid }, notAMember);
    await outsider.refuse('GROUP_ADD_MEMBER', { group_id: 2 ** 53 - 1, member_sid }, notAMember);
  },
  async 'exists: the new user must exist'(fixture) {
    const client = await fixture.signedIn();
    const { group_id } = await fixture.group(client);
    const errors = [errorTexts.userUnknown.text];
    await client.refuse('GROUP_ADD_MEMBER', { group_id, member_sid: fixture.unknownSid() }, errors);
  },
  async 'present: adding somebody who is in the group succeeds and changes nothing, in a direct message too'(
    fixture,
  ) {
    const { ada, bob, group_id, member_sids } = await fixture.pair();
    const direct = await fixture.create(ada, [ada.sid, bob.sid]);
    for (const id of [group_id, direct]) {
      for (const member_sid of [ada.sid, bob.sid]) {
        await ada.succeed('GROUP_ADD_MEMBER', { group_id: id, member_sid });
      }
    }
    const again = await fixture.signedInAs(bob.user);
    await again.state(group_id, member_sids);
    await again.state(direct, [ada.sid, bob.sid]);
  },
  async 'direct-message: a direct message takes no third member'(fixture) {
    const [ada, bob, eve] = [await fixture.signedIn(), await fixture.signedIn(), await fixture.signedIn()];
    const group_id = await fixture.create(ada, [ada.sid, bob.sid]);
    const errors = [errorTexts.directMessageFull.text];
    await ada.refuse('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid }, errors);
    const again = await fixture.signedInAs(bob.user);
    await again.state(group_id, [ada.sid, bob.sid]);
  },
  async 'from-then-on: a new member gets the messages from then on, no older ones'(fixture) {
    const ada = await fixture.signedIn();
    const eve = await fixture.signedIn({ acknowledges: false });
    const { group_id } = await fixture.group(ada);
    await fixture.send(ada, group_id, 'before');
    await ada.succeed('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid });
    const after = await fixture.send(ada, group_id, 'after');
    const again = await fixture.signedInAs(eve.user);
    for (const client of [eve, again]) await client.message(after);
    const older = ({ payload }: { payload: { content?: string; group_id?: number } }) =>
      payload.group_id === group_id && payload.content === 'before';
    await again.never(older, 'the new member must not get what was sent before');
    expectEqual(eve.contentsOf(group_id), ['after'], 'messages');
  },
};

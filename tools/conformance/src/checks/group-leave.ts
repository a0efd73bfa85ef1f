import { errorTexts } from '@hooligram/protocol';
import type { Checks } from '../check.ts';
import { expectEqual } from '../failure.ts';

const notAMember = [errorTexts.notAMember.text];

export const groupLeave: Checks = {
  async 'told: the remaining members are sent the new state, and three who shrink to two are still a group'(
    fixture,
  ) {
    const [ada, bob, eve] = [await fixture.signedIn(), await fixture.signedIn(), await fixture.signedIn()];
    const group_id = await fixture.create(ada, [ada.sid, bob.sid, eve.sid], 'x');
    await eve.state(group_id);
    await eve.succeed('GROUP_LEAVE', { group_id });
    for (const client of [ada, bob]) {
      const { payload } = await client.state(group_id, [ada.sid, bob.sid]);
      expectEqual(payload.is_direct_message, false, 'is_direct_message of three who shrank to two');
    }
  },
  async 'nothing-more: the one who left gets nothing more from the group, also at the next sign-in'(fixture) {
    const { ada, bob, group_id } = await fixture.pair();
    await bob.succeed('GROUP_LEAVE', { group_id });
    const seen = bob.frames.length;
    await ada.message(await fixture.send(ada, group_id, 'not for bob'));
    const ofGroup = ({ payload }: { payload: { group_id?: number } }) => payload.group_id === group_id;
    await bob.never(ofGroup, 'who left must get nothing more', seen);
    const again = await fixture.signedInAs(bob.user);
    await again.never(ofGroup, 'who left must not be sent the group at the sign-in');
  },
  async 'no-member: who is no member cannot leave, and who left can neither send nor add nor leave again'(
    fixture,
  ) {
    const [ada, bob] = [await fixture.signedIn(), await fixture.signedIn()];
    const { group_id } = await fixture.group(ada);
    await bob.refuse('GROUP_LEAVE', { group_id }, notAMember);
    await ada.succeed('GROUP_ADD_MEMBER', { group_id, member_sid: bob.sid });
    await bob.succeed('GROUP_LEAVE', { group_id });
    await bob.refuse('GROUP_LEAVE', { group_id }, notAMember);
    await bob.refuse('MESSAGING_SEND', { group_id, content: 'x' }, notAMember);
    await bob.refuse('GROUP_ADD_MEMBER', { group_id, member_sid: bob.sid }, notAMember);
  },
  async 'back-again: who left and is added again gets the messages from then on'(fixture) {
    const { ada, bob, group_id, member_sids } = await fixture.pair();
    await bob.succeed('GROUP_LEAVE', { group_id });
    await fixture.send(ada, group_id, 'meanwhile');
    const seen = bob.frames.length;
    await ada.succeed('GROUP_ADD_MEMBER', { group_id, member_sid: bob.sid });
    await bob.state(group_id, member_sids, seen);
    await bob.message(await fixture.send(ada, group_id, 'back again'));
    const contents = bob.contentsOf(group_id);
    expectEqual(contents, ['back again'], 'messages of who came back');
  },
};

import { errorTexts } from '@hooligram/protocol';
import type { Checks } from '../check.ts';
import { stateOf } from '../client.ts';
import { expectThat } from '../failure.ts';
import type { Fixture } from '../fixture.ts';

const closed = [errorTexts.groupClosed.text];

/** A group that bob has left, so that ada is its last member. */
async function closedGroup(fixture: Fixture, acknowledges = true) {
  const ada = await fixture.signedIn({ acknowledges });
  const bob = await fixture.signedIn();
  const group_id = await fixture.create(ada, [ada.sid, bob.sid]);
  await bob.state(group_id);
  await bob.succeed('GROUP_LEAVE', { group_id });
  return { ada, bob, group_id };
}

export const groupClosing: Checks = {
  async 'told: the last member of a group is sent the state with one member_sid'(fixture) {
    const { ada, group_id } = await closedGroup(fixture);
    await ada.state(group_id, [ada.sid]);
  },
  async 'refuses: sending to a closed group and adding to it fail with `group is closed`'(fixture) {
    const { ada, bob, group_id } = await closedGroup(fixture);
    await ada.refuse('MESSAGING_SEND', { group_id, content: 'x' }, closed);
    await ada.refuse('GROUP_ADD_MEMBER', { group_id, member_sid: bob.sid }, closed);
  },
  async 'last-leaves: the last member may still leave it'(fixture) {
    const { ada, group_id } = await closedGroup(fixture);
    await ada.succeed('GROUP_LEAVE', { group_id });
    await ada.refuse('GROUP_LEAVE', { group_id }, [errorTexts.notAMember.text]);
  },
  async 'new-direct-message: a new direct message of the same pair is a new group with a new id'(fixture) {
    const { ada, bob, group_id } = await closedGroup(fixture);
    const next = await fixture.create(bob, [ada.sid, bob.sid]);
    expectThat(next !== group_id, 'the new direct message must not have the id of the closed one');
    await ada.message(await fixture.send(bob, next, 'again'));
  },
  async 'undelivered: what was undelivered to the last member still is delivered'(fixture) {
    const [ada, bob] = [await fixture.signedIn(), await fixture.signedIn()];
    const group_id = await fixture.create(ada, [ada.sid, bob.sid]);
    await ada.close();
    const message_id = await fixture.send(bob, group_id, 'my last words');
    await bob.succeed('GROUP_LEAVE', { group_id });
    const back = await fixture.signedInAs(ada.user);
    await back.message(message_id);
    await back.state(group_id, [ada.sid]);
  },
  async 'told-later: its last state is sent at the next sign-in if it was never acknowledged'(fixture) {
    const { ada, group_id } = await closedGroup(fixture, false);
    await ada.state(group_id, [ada.sid]);
    await ada.close();
    await (await fixture.signedInAs(ada.user)).state(group_id, [ada.sid]);
  },
  async 'forgotten: once its last state was acknowledged it is not among the user’s groups'(fixture) {
    const { ada, group_id } = await closedGroup(fixture);
    await ada.state(group_id, [ada.sid]);
    await ada.isServed();
    await ada.close();
    await fixture.untilNotSent(ada.user, stateOf(group_id), 'the closed group must vanish');
  },
};

import { errorTexts } from '@hooligram/protocol';
import type { Topic } from '../check.ts';
import { expectEqual } from '../failure.ts';

const notAMember = [errorTexts.notAMember.text];

export const groupAddMember: Topic = {
  name: 'group-add-member',
  checks: [
    {
      name: 'told',
      title: 'all members, the new one too, are sent the new state',
      async run(stage) {
        const [ada, bob, eve] = [await stage.enter(), await stage.enter(), await stage.enter()];
        const { group_id, member_sids } = await stage.group(ada, bob);
        await ada.succeed('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid });
        for (const peer of [ada, bob, eve]) await peer.state(group_id, [...member_sids, eve.sid]);
      },
    },
    {
      name: 'caller',
      title: 'only a member adds people, and nobody learns whether a group exists',
      async run(stage) {
        const [ada, outsider] = [await stage.enter(), await stage.enter()];
        const { group_id } = await stage.group(ada);
        const member_sid = outsider.sid;
        await outsider.refuse('GROUP_ADD_MEMBER', { group_id, member_sid }, notAMember);
        await outsider.refuse('GROUP_ADD_MEMBER', { group_id: 2 ** 53 - 1, member_sid }, notAMember);
      },
    },
    {
      name: 'exists',
      title: 'the new person must exist',
      async run(stage) {
        const peer = await stage.enter();
        const { group_id } = await stage.group(peer);
        const errors = [errorTexts.userUnknown.text];
        await peer.refuse('GROUP_ADD_MEMBER', { group_id, member_sid: stage.stranger() }, errors);
      },
    },
    {
      name: 'present',
      title: 'adding somebody who is in the group succeeds and changes nothing, in a direct message too',
      async run(stage) {
        const [ada, bob] = [await stage.enter(), await stage.enter()];
        const { group_id, member_sids } = await stage.group(ada, bob);
        const direct = await stage.create(ada, [ada.sid, bob.sid]);
        for (const id of [group_id, direct]) {
          for (const member_sid of [ada.sid, bob.sid]) {
            await ada.succeed('GROUP_ADD_MEMBER', { group_id: id, member_sid });
          }
        }
        const again = await stage.enterAs(bob.person);
        await again.state(group_id, member_sids);
        await again.state(direct, [ada.sid, bob.sid]);
      },
    },
    {
      name: 'direct-message',
      title: 'a direct message takes no third member',
      async run(stage) {
        const [ada, bob, eve] = [await stage.enter(), await stage.enter(), await stage.enter()];
        const group_id = await stage.create(ada, [ada.sid, bob.sid]);
        const errors = [errorTexts.directMessageFull.text];
        await ada.refuse('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid }, errors);
        const again = await stage.enterAs(bob.person);
        await again.state(group_id, [ada.sid, bob.sid]);
      },
    },
    {
      name: 'from-then-on',
      title: 'a new member gets the messages from then on, no older ones',
      async run(stage) {
        const ada = await stage.enter();
        const eve = await stage.enter({ acknowledges: false });
        const { group_id } = await stage.group(ada);
        await stage.say(ada, group_id, 'before');
        await ada.succeed('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid });
        const after = await stage.say(ada, group_id, 'after');
        const again = await stage.enterAs(eve.person);
        for (const peer of [eve, again]) await peer.message(after);
        const older = ({ payload }: { payload: { content?: string; group_id?: number } }) =>
          payload.group_id === group_id && payload.content === 'before';
        await again.never(older, 'the new member must not get what was sent before');
        expectEqual(
          eve.messagesOf(group_id).map(({ content }) => content),
          ['after'],
          'messages',
        );
      },
    },
  ],
};

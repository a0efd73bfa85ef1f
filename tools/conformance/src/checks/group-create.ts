import { errorTexts, faultTexts } from '@hooligram/protocol';
import type { Topic } from '../check.ts';
import { expectEqual, expectThat } from '../failure.ts';

const tooFew = [errorTexts.tooFewMembers.text];

export const groupCreate: Topic = {
  name: 'group-create',
  checks: [
    {
      name: 'told',
      title: 'every member, the creator too, is sent a new group',
      async run(stage) {
        const [ada, bob] = [await stage.enter(), await stage.enter()];
        const group_name = ' Sunday hikes é😀 ';
        const member_sids = [bob.sid, stage.stranger(), ada.sid];
        const group_id = await stage.create(ada, member_sids, group_name);
        for (const peer of [ada, bob]) {
          const { payload } = await peer.state(group_id, member_sids);
          expectEqual(payload.group_name, group_name, 'group_name');
          expectEqual(payload.is_direct_message, false, 'is_direct_message of a group of three');
        }
      },
    },
    {
      name: 'two-people',
      title: 'a group has at least two distinct members',
      async run(stage) {
        const peer = await stage.enter();
        const { sid } = peer;
        for (const member_sids of [[sid], [sid, sid], [sid, sid, sid]]) {
          await peer.refuse('GROUP_CREATE', { group_name: 'x', member_sids }, tooFew);
        }
        await peer.refuse('GROUP_CREATE', { group_name: 'x', member_sids: [] });
      },
    },
    {
      name: 'creator',
      title: 'the creator is among the members',
      async run(stage) {
        const peer = await stage.enter();
        const member_sids = [stage.stranger(), stage.stranger()];
        const errors = [errorTexts.creatorMissing.text];
        await peer.refuse('GROUP_CREATE', { group_name: 'x', member_sids }, errors);
      },
    },
    {
      name: 'names',
      title: 'a name has at most 100 characters, and only a direct message’s may be empty',
      async run(stage) {
        const peer = await stage.enter();
        const three = () => [peer.sid, stage.stranger(), stage.stranger()];
        const empty = { group_name: '', member_sids: three() };
        await peer.refuse('GROUP_CREATE', empty, [errorTexts.groupNameEmpty.text]);
        for (const group_name of ['x'.repeat(101), '😀'.repeat(101)]) {
          await peer.refuse('GROUP_CREATE', { group_name, member_sids: three() });
        }
        for (const group_name of ['x'.repeat(100), '😀'.repeat(100), ' ', '\n']) {
          const { payload } = await peer.state(await stage.create(peer, three(), group_name));
          expectEqual(payload.group_name, group_name, 'group_name');
        }
        for (const [text, fault] of [
          ['a\0', faultTexts.holdsNul],
          ['\ud800', faultTexts.holdsLoneSurrogates],
        ] as const) {
          const errors = [`payload.group_name: ${fault}`];
          await peer.refuse('GROUP_CREATE', { group_name: text, member_sids: three() }, errors);
        }
      },
    },
    {
      name: 'direct-message',
      title:
        'created with exactly two distinct members it is a direct message; a sid named twice counts once',
      async run(stage) {
        const peer = await stage.enter();
        const [bob, eve] = [stage.stranger(), stage.stranger()];
        const plain = await stage.create(peer, [peer.sid, bob]);
        const twice = await stage.create(peer, [eve, peer.sid, eve, peer.sid]);
        for (const [group_id, other] of [
          [plain, bob],
          [twice, eve],
        ] as const) {
          const { payload } = await peer.state(group_id, [peer.sid, other]);
          expectEqual(payload.is_direct_message, true, 'is_direct_message of a group of two');
        }
      },
    },
    {
      name: 'one-direct-message',
      title: 'a pair has one open direct message: creating it again answers with the same group_id',
      async run(stage) {
        const [ada, bob] = [await stage.enter(), await stage.enter()];
        const first = await stage.create(ada, [ada.sid, bob.sid]);
        expectEqual(await stage.create(ada, [bob.sid, ada.sid, bob.sid]), first, 'group_id of the second');
        expectEqual(await stage.create(bob, [ada.sid, bob.sid], 'named'), first, 'group_id of the other’s');
        expectThat(
          (await stage.create(ada, [ada.sid, bob.sid, stage.stranger()], 'x')) !== first,
          'a group of three with the same people must be another one',
        );
      },
    },
    {
      name: 'at-the-same-time',
      title: 'two who create their direct message at the same time get the same group_id',
      async run(stage) {
        const [ada, bob] = [await stage.enter(), await stage.enter()];
        const open = await stage.create(ada, [ada.sid, bob.sid]);
        await ada.succeed('GROUP_LEAVE', { group_id: open });
        const [one, two] = await Promise.all([
          stage.create(ada, [ada.sid, bob.sid]),
          stage.create(bob, [ada.sid, bob.sid]),
        ]);
        expectEqual(two, one, 'group_id that the other got');
      },
    },
    {
      name: 'other-names-same',
      title: 'groups of the same three people are different groups',
      async run(stage) {
        const peer = await stage.enter();
        const member_sids = [peer.sid, stage.stranger(), stage.stranger()];
        const first = await stage.create(peer, member_sids, 'x');
        expectThat((await stage.create(peer, member_sids, 'x')) !== first, 'the second must have its own id');
      },
    },
  ],
};

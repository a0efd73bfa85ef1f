import { randomInt } from 'node:crypto';
import { compareByCodeUnit } from '@hooligram/protocol';
import type { Topic } from '../check.ts';
import { expectEqual, expectThat } from '../failure.ts';
import type { Received } from '../received.ts';

export const groupDeliver: Topic = {
  name: 'group-deliver',
  checks: [
    {
      name: 'sorted',
      title: 'member_sids is the whole list, sorted by code unit',
      async run(stage) {
        const peer = await stage.enter();
        // Numbers of codes that no country has, as long as each code's are. As numbers they have another order.
        const tail = String(randomInt(10 ** 7)).padStart(7, '0');
        const others = [`979.12${tail}`, `878.10123${tail}`, `888.1234${tail}`, `808.1${tail}`];
        const member_sids = [...others, peer.sid];
        const { payload } = await peer.state(await stage.create(peer, member_sids, 'sorted'));
        expectEqual(payload.member_sids, [...member_sids].sort(compareByCodeUnit), 'member_sids');
      },
    },
    {
      name: 'constant',
      title: 'equal states are equal, to every member and at every time: date_created is the group’s',
      async run(stage) {
        const [ada, bob] = [await stage.enter(), await stage.enter()];
        const { group_id, member_sids } = await stage.group(ada, bob);
        const first = (await ada.state(group_id, member_sids)).payload;
        expectEqual((await bob.state(group_id, member_sids)).payload, first, 'state that another member got');
        const eve = await stage.enter();
        await ada.succeed('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid });
        const changed = (await ada.state(group_id, [...member_sids, eve.sid])).payload;
        expectEqual(changed.date_created, first.date_created, 'date_created of the changed group');
        await eve.succeed('GROUP_LEAVE', { group_id });
        const again = await stage.enterAs(ada.person);
        expectEqual((await again.state(group_id)).payload, first, 'state at the next sign-in');
      },
    },
    {
      name: 'date',
      title: 'date_created is of the server’s clock, which runs forward',
      async run(stage) {
        const peer = await stage.enter();
        const dates: string[] = [];
        for (let count = 0; count < 3; count += 1) {
          const { group_id } = await stage.group(peer);
          dates.push((await peer.state(group_id)).payload.date_created ?? '');
        }
        expectEqual([...dates].sort(), dates, 'dates of groups that were created one after the other');
      },
    },
    {
      name: 'ids',
      title: 'the id of a delivery tells what it delivers: different groups have different ids',
      async run(stage) {
        const peer = await stage.enter();
        const [one, two] = [await stage.group(peer), await stage.group(peer)];
        const ids = [(await peer.state(one.group_id)).id, (await peer.state(two.group_id)).id];
        expectThat(ids[0] !== ids[1], `two groups were delivered with the same id ${ids[0]}`);
      },
    },
    {
      name: 'newest',
      title: 'the last state that is sent is the newest',
      async run(stage) {
        const [ada, bob, eve] = [await stage.enter(), await stage.enter(), await stage.enter()];
        const { group_id, member_sids } = await stage.group(ada, bob);
        for (let times = 0; times < 3; times += 1) {
          await ada.succeed('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid });
          await eve.succeed('GROUP_LEAVE', { group_id });
        }
        await bob.succeed('GROUP_LEAVE', { group_id });
        const newest = await ada.state(
          group_id,
          member_sids.filter((sid) => sid !== bob.sid),
        );
        const isOlder = ({ type, payload }: Received) =>
          type === 'GROUP_DELIVER_REQUEST' &&
          payload.group_id === group_id &&
          payload.member_sids?.length !== 2;
        const after = ada.frames.indexOf(newest);
        await ada.never(isOlder, 'an older state must not come after a newer one', after);
      },
    },
  ],
};

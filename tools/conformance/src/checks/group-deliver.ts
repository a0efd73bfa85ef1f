import { randomInt } from 'node:crypto';
import { compareByCodeUnit } from '@hooligram/protocol';
import type { ReceivedFrame } from '@hooligram/protocol-client';
import type { Checks } from '../check.ts';
import { stateOf } from '../client.ts';
import { expectEqual, expectThat } from '../failure.ts';

export const groupDeliver: Checks = {
  async 'sorted: member_sids is the whole list, sorted by code unit'(fixture) {
    const client = await fixture.signedIn();
    // Numbers of codes that no country has, as long as each code's are. As numbers they have another order.
    const tail = String(randomInt(10 ** 7)).padStart(7, '0');
    const others = [`979.12${tail}`, `878.10123${tail}`, `888.1234${tail}`, `808.1${tail}`];
    const member_sids = [...others, client.sid];
    const { payload } = await client.state(await fixture.create(client, member_sids, 'sorted'));
    expectEqual(payload.member_sids, [...member_sids].sort(compareByCodeUnit), 'member_sids');
  },
  async 'constant: equal states are equal, to every member and at every time: date_created is the group’s'(
    fixture,
  ) {
    const { ada, bob, group_id, member_sids } = await fixture.pair();
    const first = (await ada.state(group_id, member_sids)).payload;
    expectEqual((await bob.state(group_id, member_sids)).payload, first, 'state that another member got');
    const eve = await fixture.signedIn();
    await ada.succeed('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid });
    const changed = (await ada.state(group_id, [...member_sids, eve.sid])).payload;
    expectEqual(changed.date_created, first.date_created, 'date_created of the changed group');
    await eve.succeed('GROUP_LEAVE', { group_id });
    const again = await fixture.signedInAs(ada.user);
    expectEqual((await again.state(group_id)).payload, first, 'state at the next sign-in');
  },
  async 'date: date_created is of the server’s clock, which runs forward'(fixture) {
    const client = await fixture.signedIn();
    const dates: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      const { group_id } = await fixture.group(client);
      dates.push((await client.state(group_id)).payload.date_created ?? '');
    }
    expectEqual([...dates].sort(), dates, 'dates of groups that were created one after the other');
  },
  async 'ids: the id of a delivery tells what it delivers: different groups have different ids'(fixture) {
    const client = await fixture.signedIn();
    const [one, two] = [await fixture.group(client), await fixture.group(client)];
    const ids = [(await client.state(one.group_id)).id, (await client.state(two.group_id)).id];
    expectThat(ids[0] !== ids[1], `two groups were delivered with the same id ${ids[0]}`);
  },
  async 'newest: the last state that is sent is the newest'(fixture) {
    const [ada, bob, eve] = [await fixture.signedIn(), await fixture.signedIn(), await fixture.signedIn()];
    const { group_id, member_sids } = await fixture.group(ada, bob);
    for (let times = 0; times < 3; times += 1) {
      await ada.succeed('GROUP_ADD_MEMBER', { group_id, member_sid: eve.sid });
      await eve.succeed('GROUP_LEAVE', { group_id });
    }
    await bob.succeed('GROUP_LEAVE', { group_id });
    const newest = await ada.state(
      group_id,
      member_sids.filter((sid) => sid !== bob.sid),
    );
    const isOlder = (frame: ReceivedFrame) =>
      stateOf(group_id)(frame) && frame.payload.member_sids?.length !== 2;
    const after = ada.frames.indexOf(newest);
    await ada.never(isOlder, 'an older state must not come after a newer one', after);
  },
};

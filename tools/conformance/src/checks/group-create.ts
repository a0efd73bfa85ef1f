import { errorTexts, faultTexts } from '@hooligram/protocol';
import type { Checks } from '../check.ts';
import { expectEqual, expectThat } from '../failure.ts';

const tooFew = [errorTexts.tooFewMembers.text];

export const groupCreate: Checks = {
  async 'told: every member, the creator too, is sent a new group'(fixture) {
    const [ada, bob] = [await fixture.signedIn(), await fixture.signedIn()];
    const group_name = ' Sunday hikes é😀 ';
    const member_sids = [bob.sid, fixture.unknownSid(), ada.sid];
    const group_id = await fixture.create(ada, member_sids, group_name);
    for (const client of [ada, bob]) {
      const { payload } = await client.state(group_id, member_sids);
      expectEqual(payload.group_name, group_name, 'group_name');
      expectEqual(payload.is_direct_message, false, 'is_direct_message of a group of three');
    }
  },
  async 'two-people: a group has at least two distinct members'(fixture) {
    const client = await fixture.signedIn();
    const { sid } = client;
    for (const member_sids of [[sid], [sid, sid], [sid, sid, sid]]) {
      await client.refuse('GROUP_CREATE', { group_name: 'x', member_sids }, tooFew);
    }
    await client.refuse('GROUP_CREATE', { group_name: 'x', member_sids: [] });
  },
  async 'creator: the creator is among the members'(fixture) {
    const client = await fixture.signedIn();
    const member_sids = [fixture.unknownSid(), fixture.unknownSid()];
    const errors = [errorTexts.creatorMissing.text];
    await client.refuse('GROUP_CREATE', { group_name: 'x', member_sids }, errors);
  },
  async 'names: a name has at most 100 characters, and only a direct message’s may be empty'(fixture) {
    const client = await fixture.signedIn();
    const three = () => [client.sid, fixture.unknownSid(), fixture.unknownSid()];
    const empty = { group_name: '', member_sids: three() };
    await client.refuse('GROUP_CREATE', empty, [errorTexts.groupNameEmpty.text]);
    for (const group_name of ['x'.repeat(101), '😀'.repeat(101)]) {
      await client.refuse('GROUP_CREATE', { group_name, member_sids: three() });
    }
    for (const group_name of ['x'.repeat(100), '😀'.repeat(100), ' ', '\n']) {
      const { payload } = await client.state(await fixture.create(client, three(), group_name));
      expectEqual(payload.group_name, group_name, 'group_name');
    }
    for (const [text, fault] of [
      ['a\0', faultTexts.holdsNul],
      ['\ud800', faultTexts.holdsLoneSurrogates],
    ] as const) {
      const errors = [`payload.group_name: ${fault}`];
      await client.refuse('GROUP_CREATE', { group_name: text, member_sids: three() }, errors);
    }
  },
  async 'direct-message: created with exactly two distinct members it is a direct message; a sid named twice counts once'(
    fixture,
  ) {
    const client = await fixture.signedIn();
    const [bob, eve] = [fixture.unknownSid(), fixture.unknownSid()];
    const plain = await fixture.create(client, [client.sid, bob]);
    const twice = await fixture.create(client, [eve, client.sid, eve, client.sid]);
    for (const [group_id, other] of [
      [plain, bob],
      [twice, eve],
    ] as const) {
      const { payload } = await client.state(group_id, [client.sid, other]);
      expectEqual(payload.is_direct_message, true, 'is_direct_message of a group of two');
    }
  },
  async 'one-direct-message: a pair has one open direct message: creating it again answers with the same group_id'(
    fixture,
  ) {
    const [ada, bob] = [await fixture.signedIn(), await fixture.signedIn()];
    const first = await fixture.create(ada, [ada.sid, bob.sid]);
    expectEqual(await fixture.create(ada, [bob.sid, ada.sid, bob.sid]), first, 'group_id of the second');
    expectEqual(await fixture.create(bob, [ada.sid, bob.sid], 'named'), first, 'group_id of the other’s');
    expectThat(
      (await fixture.create(ada, [ada.sid, bob.sid, fixture.unknownSid()], 'x')) !== first,
      'a group of three with the same users must be another one',
    );
  },
  async 'at-the-same-time: two who create their direct message at the same time get the same group_id'(
    fixture,
  ) {
    const [ada, bob] = [await fixture.signedIn(), await fixture.signedIn()];
    const open = await fixture.create(ada, [ada.sid, bob.sid]);
    await ada.succeed('GROUP_LEAVE', { group_id: open });
    const [one, two] = await Promise.all([
      fixture.create(ada, [ada.sid, bob.sid]),
      fixture.create(bob, [ada.sid, bob.sid]),
    ]);
    expectEqual(two, one, 'group_id that the other got');
  },
  async 'other-names-same: groups of the same three users are different groups'(fixture) {
    const client = await fixture.signedIn();
    const member_sids = [client.sid, fixture.unknownSid(), fixture.unknownSid()];
    const first = await fixture.create(client, member_sids, 'x');
    expectThat((await fixture.create(client, member_sids, 'x')) !== first, 'the second must have its own id');
  },
};

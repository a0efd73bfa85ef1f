import { randomUUID } from 'node:crypto';
import { errorTexts } from '@hooligram/protocol';
import type { Checks } from '../check.ts';
import { expectEqual, expectThat } from '../failure.ts';

const alreadyUsed = [errorTexts.idAlreadyUsed.text];

export const repetition: Checks = {
  async 'message: a message that is sent again with its UUID gets the same answer and is stored once'(
    fixture,
  ) {
    const { ada, bob, group_id } = await fixture.pair();
    const id = randomUUID();
    const first = await fixture.send(ada, group_id, 'once', id);
    // A first answer is there already, and it has the same id: the second is asked for elsewhere.
    const phone = await fixture.signedInAs(ada.user);
    expectEqual(await fixture.send(phone, group_id, 'once', id), first, 'message_id on another connection');
    expectEqual(await fixture.send(ada, group_id, 'once', id), first, 'message_id on the same connection');
    const upper = await fixture.send(ada, group_id, 'once', id.toUpperCase());
    expectEqual(upper, first, 'message_id for the UUID in upper case');
    await bob.message(await fixture.send(ada, group_id, 'behind it'));
    const contents = bob.contentsOf(group_id);
    expectEqual(contents, ['once', 'behind it'], 'messages that the other got');
  },
  async 'at-once: a message that is sent twice at once with one UUID is stored once'(fixture) {
    const [ada, bob] = [await fixture.signedIn(), await fixture.signedIn()];
    const phone = await fixture.signedInAs(ada.user);
    const { group_id } = await fixture.group(ada, bob);
    const id = randomUUID();
    const [one, two] = await Promise.all([
      fixture.send(ada, group_id, 'once', id),
      fixture.send(phone, group_id, 'once', id),
    ]);
    expectEqual(two, one, 'message_id of the second');
    await bob.message(await fixture.send(ada, group_id, 'behind it'));
    expectEqual(bob.messagesOf(group_id).length, 2, 'messages that the other got');
  },
  async 'group: a group that is created again with its UUID is created once'(fixture) {
    const ada = await fixture.signedIn();
    const member_sids = [ada.sid, fixture.unknownSid(), fixture.unknownSid()];
    const payload = { group_name: 'once', member_sids };
    const id = randomUUID();
    const { group_id } = await ada.succeed('GROUP_CREATE', payload, id);
    const phone = await fixture.signedInAs(ada.user);
    expectEqual(await phone.succeed('GROUP_CREATE', payload, id), { group_id }, 'second answer');
    const other = { group_name: 'other', member_sids };
    await ada.refuse('GROUP_CREATE', other, alreadyUsed, id);
  },
  async 'closed-group: the answer is the same after the group was closed'(fixture) {
    const [ada, bob] = [await fixture.signedIn(), await fixture.signedIn()];
    const [create, send] = [randomUUID(), randomUUID()];
    const payload = { group_name: 'x', member_sids: [ada.sid, bob.sid] };
    await ada.succeed('GROUP_LEAVE', { group_id: await fixture.create(ada, [ada.sid, bob.sid]) });
    const { group_id } = await ada.succeed('GROUP_CREATE', payload, create);
    const message_id = await fixture.send(ada, group_id as number, 'once', send);
    await bob.succeed('GROUP_LEAVE', { group_id });
    const phone = await fixture.signedInAs(ada.user);
    expectEqual(await fixture.send(phone, group_id as number, 'once', send), message_id, 'message_id');
    expectEqual(await phone.succeed('GROUP_CREATE', payload, create), { group_id }, 'answer to GROUP_CREATE');
  },
  async 'other-payload: the same UUID with another payload gets `id was already used`'(fixture) {
    const ada = await fixture.signedIn();
    const [one, two] = [await fixture.group(ada), await fixture.group(ada)];
    const id = randomUUID();
    const { group_id } = one;
    await fixture.send(ada, group_id, 'once', id);
    const phone = await fixture.signedInAs(ada.user);
    await phone.refuse('MESSAGING_SEND', { group_id, content: 'other' }, alreadyUsed, id);
    await ada.refuse('MESSAGING_SEND', { group_id: two.group_id, content: 'once' }, alreadyUsed, id);
  },
  async 'somebody-else: the UUID of somebody else is free: their message is another one'(fixture) {
    const { ada, bob, group_id } = await fixture.pair();
    const id = randomUUID();
    const first = await fixture.send(ada, group_id, 'the same', id);
    const second = await fixture.send(bob, group_id, 'the same', id);
    expectThat(second !== first, 'two users’ messages must be two');
    const senders = [
      (await ada.message(first)).payload.sender_sid,
      (await ada.message(second)).payload.sender_sid,
    ];
    expectEqual(senders, [ada.sid, bob.sid], 'senders');
  },
  async 'counted-ids: an id that is no UUID only pairs answers: using it again makes another message'(
    fixture,
  ) {
    const [ada, bob] = [await fixture.signedIn(), await fixture.signedIn()];
    const phone = await fixture.signedInAs(ada.user);
    const { group_id } = await fixture.group(ada, bob);
    const ids: number[] = [];
    for (const id of [
      '1',
      'x',
      '0190a6b27d1c7c3a9a553d1f0e2b4c6d',
      '{0190a6b2-7d1c-7c3a-9a55-3d1f0e2b4c6d}',
    ]) {
      for (const client of [ada, ada, phone]) ids.push(await fixture.send(client, group_id, 'the same', id));
    }
    expectEqual(new Set(ids).size, ids.length, 'different message_ids');
    await bob.message(ids.at(-1));
    expectEqual(bob.messagesOf(group_id).length, ids.length, 'messages that the other got');
  },
};

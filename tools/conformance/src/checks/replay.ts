import type { Checks } from '../check.ts';
import { stateOf } from '../client.ts';
import { expectEqual, expectThat } from '../failure.ts';

export const replay: Checks = {
  async 'every-group: after SUCCESS, not before, the server sends every group of the user, acknowledged or not'(
    fixture,
  ) {
    const client = await fixture.signedIn();
    const { group_id } = await fixture.group(client);
    const direct = await fixture.create(client, [client.sid, fixture.unknownSid()]);
    await client.state(direct);
    for (let times = 0; times < 2; times += 1) {
      const again = await fixture.signedInAs(client.user);
      await again.state(group_id);
      await again.state(direct);
      expectEqual(again.frames[0]?.type, 'AUTHORIZATION_SIGN_IN_SUCCESS', 'first frame after the sign-in');
    }
  },
  async 'waiting-messages: after the groups come the messages that were not acknowledged, oldest first within a group'(
    fixture,
  ) {
    const [sender, away] = [await fixture.signedIn(), await fixture.signedIn()];
    const [one, two] = [await fixture.group(sender, away), await fixture.group(sender, away)];
    await away.close();
    const sent: number[] = [];
    for (let count = 0; count < 12; count += 1) {
      const { group_id } = count % 2 === 0 ? one : two;
      sent.push(await fixture.send(sender, group_id, `while you were away ${count}`));
    }
    const back = await fixture.signedInAs(away.user);
    for (const message_id of sent) await back.message(message_id);
    for (const { group_id } of [one, two]) {
      const ids = back.idsOf(group_id);
      const mine = sent.filter((_, count) => (count % 2 === 0) === (group_id === one.group_id));
      expectEqual(ids, mine, `messages of group ${group_id}, in the order in which they came`);
    }
    const firstMessage = back.frames.findIndex(({ type }) => type === 'MESSAGING_DELIVER_REQUEST');
    for (const { group_id } of [one, two]) {
      const state = back.frames.findIndex(stateOf(group_id));
      expectThat(state < firstMessage, `group ${group_id} must come before the first message`);
    }
  },
  async 'first-sign-in: somebody who was named in a group before signing up finds it, and its messages, at the first sign-in'(
    fixture,
  ) {
    const sender = await fixture.signedIn();
    const sid = fixture.unknownSid();
    const group_id = await fixture.create(sender, [sender.sid, sid]);
    const message_id = await fixture.send(sender, group_id, 'tell me when you are here');
    const code = await fixture.signUp(await fixture.connect(), sid);
    const newUser = await fixture.signedInAs({ sid, code });
    await newUser.state(group_id, [sender.sid, sid]);
    await newUser.message(message_id);
    expectEqual(newUser.messagesOf(group_id).length, 1, 'messages');
  },
  async 'every-connection: each of a user’s connections gets every delivery'(fixture) {
    const [sender, phone] = [await fixture.signedIn(), await fixture.signedIn()];
    const laptop = await fixture.signedInAs(phone.user);
    const { group_id } = await fixture.group(sender, phone);
    await laptop.state(group_id);
    for (let count = 0; count < 5; count += 1) {
      const message_id = await fixture.send(sender, group_id, `to both ${count}`);
      await Promise.all([phone.message(message_id), laptop.message(message_id)]);
    }
    await fixture.send(phone, group_id, 'from one of them');
    await laptop.first(({ payload }) => payload.content === 'from one of them', 'the message of the other');
  },
};

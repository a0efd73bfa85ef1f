import type { Topic } from '../check.ts';
import { expectEqual, expectThat } from '../failure.ts';

export const replay: Topic = {
  name: 'replay',
  checks: [
    {
      name: 'every-group',
      title: 'after SUCCESS, not before, the server sends every group of the person, acknowledged or not',
      async run(stage) {
        const peer = await stage.enter();
        const { group_id } = await stage.group(peer);
        const direct = await stage.create(peer, [peer.sid, stage.stranger()]);
        await peer.state(direct);
        for (let times = 0; times < 2; times += 1) {
          const again = await stage.enterAs(peer.person);
          await again.state(group_id);
          await again.state(direct);
          expectEqual(
            again.frames[0]?.type,
            'AUTHORIZATION_SIGN_IN_SUCCESS',
            'first frame after the sign-in',
          );
        }
      },
    },
    {
      name: 'waiting-messages',
      title: 'after the groups come the messages that were not acknowledged, oldest first within a group',
      async run(stage) {
        const [sender, away] = [await stage.enter(), await stage.enter()];
        const [one, two] = [await stage.group(sender, away), await stage.group(sender, away)];
        await away.close();
        const sent: number[] = [];
        for (let count = 0; count < 12; count += 1) {
          const { group_id } = count % 2 === 0 ? one : two;
          sent.push(await stage.say(sender, group_id, `while you were away ${count}`));
        }
        const back = await stage.enterAs(away.person);
        for (const message_id of sent) await back.message(message_id);
        for (const { group_id } of [one, two]) {
          const ids = back.messagesOf(group_id).map(({ message_id }) => message_id);
          const mine = sent.filter((_, count) => (count % 2 === 0) === (group_id === one.group_id));
          expectEqual(ids, mine, `messages of group ${group_id}, in the order in which they came`);
        }
        const firstMessage = back.frames.findIndex(({ type }) => type === 'MESSAGING_DELIVER_REQUEST');
        for (const { group_id } of [one, two]) {
          const state = back.frames.findIndex(
            ({ type, payload }) => type === 'GROUP_DELIVER_REQUEST' && payload.group_id === group_id,
          );
          expectThat(state < firstMessage, `group ${group_id} must come before the first message`);
        }
      },
    },
    {
      name: 'first-sign-in',
      title:
        'somebody who was named in a group before signing up finds it, and its messages, at the first sign-in',
      async run(stage) {
        const sender = await stage.enter();
        const sid = stage.stranger();
        const group_id = await stage.create(sender, [sender.sid, sid]);
        const message_id = await stage.say(sender, group_id, 'tell me when you are here');
        const code = await stage.signUp(await stage.connect(), sid);
        const newcomer = await stage.enterAs({ sid, code });
        await newcomer.state(group_id, [sender.sid, sid]);
        await newcomer.message(message_id);
        expectEqual(newcomer.messagesOf(group_id).length, 1, 'messages');
      },
    },
    {
      name: 'every-connection',
      title: 'each of a person’s connections gets every delivery',
      async run(stage) {
        const [sender, phone] = [await stage.enter(), await stage.enter()];
        const laptop = await stage.enterAs(phone.person);
        const { group_id } = await stage.group(sender, phone);
        await laptop.state(group_id);
        for (let count = 0; count < 5; count += 1) {
          const message_id = await stage.say(sender, group_id, `to both ${count}`);
          await Promise.all([phone.message(message_id), laptop.message(message_id)]);
        }
        await stage.say(phone, group_id, 'from one of them');
        await laptop.next(
          ({ payload }) => payload.content === 'from one of them',
          'the message of the other',
        );
      },
    },
  ],
};

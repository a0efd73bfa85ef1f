import type { Topic } from '../check.ts';
import { expectEqual, expectThat } from '../failure.ts';
import type { Received } from '../received.ts';

const slowMs = 60_000;

export const messagingDeliver: Topic = {
  name: 'messaging-deliver',
  checks: [
    {
      name: 'ids',
      title: 'the id of a delivery tells what it delivers: different messages have different ids',
      async run(stage) {
        const [ada, bob] = [await stage.enter(), await stage.enter()];
        const { group_id } = await stage.group(ada, bob);
        const ids = new Set<string>();
        for (let count = 0; count < 5; count += 1) {
          ids.add((await bob.message(await stage.say(ada, group_id, 'the same'))).id);
        }
        expectEqual(ids.size, 5, 'different ids');
      },
    },
    {
      name: 'again-at-sign-in',
      title: 'what is not acknowledged comes again at every sign-in, the same as it was',
      async run(stage) {
        const sender = await stage.enter();
        const deaf = await stage.enter({ acknowledges: false });
        const { group_id } = await stage.group(sender, deaf);
        const message_id = await stage.say(sender, group_id, 'until you have it');
        const first = (await deaf.message(message_id)).payload;
        await deaf.close();
        for (let times = 0; times < 2; times += 1) {
          const again = await stage.enterAs(deaf.person, { acknowledges: false });
          expectEqual(
            (await again.message(message_id)).payload,
            first,
            'payload of the delivery at a sign-in',
          );
          await again.close();
        }
      },
    },
    {
      name: 'every-connection-replays',
      title: 'a connection that signs in is sent what another one of the person has not acknowledged',
      async run(stage) {
        const sender = await stage.enter();
        const deaf = await stage.enter({ acknowledges: false });
        const { group_id } = await stage.group(sender, deaf);
        const message_id = await stage.say(sender, group_id, 'x');
        await deaf.message(message_id);
        await (await stage.enterAs(deaf.person)).message(message_id);
      },
    },
    {
      name: 'again-while-connected',
      title: 'what is not acknowledged comes again while the person is connected',
      isSlow: true,
      async run(stage) {
        const sender = await stage.enter();
        const deaf = await stage.enter({ acknowledges: false });
        const { group_id } = await stage.group(sender, deaf);
        const message_id = await stage.say(sender, group_id, 'until you have it');
        const isIt = ({ type, payload }: Received) =>
          type === 'MESSAGING_DELIVER_REQUEST' && payload.message_id === message_id;
        const times = (count: number) => (frames: readonly Received[]) => frames.filter(isIt).length >= count;
        await deaf.until(times(3), 'the same message for the third time', slowMs);
        const copies = deaf.frames.filter(isIt);
        for (const { payload } of copies) expectEqual(payload, copies[0]?.payload, 'payload of a repetition');
        expectThat(
          copies.every(({ id }) => id === copies[0]?.id),
          'a repetition must have the id of the first',
        );
      },
    },
  ],
};

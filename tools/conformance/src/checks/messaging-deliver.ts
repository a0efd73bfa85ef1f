import type { ReceivedFrame } from '@hooligram/protocol-client';
import type { Topic } from '../check.ts';
import { expectEqual, expectThat } from '../failure.ts';

const slowMs = 60_000;

export const messagingDeliver: Topic = {
  name: 'messaging-deliver',
  checks: {
    ids: {
      title: 'the id of a delivery tells what it delivers: different messages have different ids',
      async run(fixture) {
        const { ada, bob, group_id } = await fixture.pair();
        const ids = new Set<string>();
        for (let count = 0; count < 5; count += 1) {
          ids.add((await bob.message(await fixture.send(ada, group_id, 'the same'))).id);
        }
        expectEqual(ids.size, 5, 'different ids');
      },
    },
    'again-at-sign-in': {
      title: 'what is not acknowledged comes again at every sign-in, the same as it was',
      async run(fixture) {
        const sender = await fixture.signedIn();
        const deaf = await fixture.signedIn({ acknowledges: false });
        const { group_id } = await fixture.group(sender, deaf);
        const message_id = await fixture.send(sender, group_id, 'until you have it');
        const first = (await deaf.message(message_id)).payload;
        await deaf.close();
        for (let times = 0; times < 2; times += 1) {
          const again = await fixture.signedInAs(deaf.user, { acknowledges: false });
          expectEqual(
            (await again.message(message_id)).payload,
            first,
            'payload of the delivery at a sign-in',
          );
          await again.close();
        }
      },
    },
    'every-connection-replays': {
      title: 'a connection that signs in is sent what another one of the user has not acknowledged',
      async run(fixture) {
        const sender = await fixture.signedIn();
        const deaf = await fixture.signedIn({ acknowledges: false });
        const { group_id } = await fixture.group(sender, deaf);
        const message_id = await fixture.send(sender, group_id, 'x');
        await deaf.message(message_id);
        await (await fixture.signedInAs(deaf.user)).message(message_id);
      },
    },
    'again-while-connected': {
      title: 'what is not acknowledged comes again while the user is connected',
      isSlow: true,
      async run(fixture) {
        const sender = await fixture.signedIn();
        const deaf = await fixture.signedIn({ acknowledges: false });
        const { group_id } = await fixture.group(sender, deaf);
        const message_id = await fixture.send(sender, group_id, 'until you have it');
        const isIt = ({ type, payload }: ReceivedFrame) =>
          type === 'MESSAGING_DELIVER_REQUEST' && payload.message_id === message_id;
        const times = (count: number) => (frames: readonly ReceivedFrame[]) =>
          frames.filter(isIt).length >= count;
        await deaf.waitFor(times(3), 'the same message for the third time', slowMs);
        const copies = deaf.frames.filter(isIt);
        for (const { payload } of copies) expectEqual(payload, copies[0]?.payload, 'payload of a repetition');
        expectThat(
          copies.every(({ id }) => id === copies[0]?.id),
          'a repetition must have the id of the first',
        );
      },
    },
  },
};

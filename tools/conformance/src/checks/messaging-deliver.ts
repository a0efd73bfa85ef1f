import type { ReceivedFrame } from '@hooligram/protocol-client';
import type { Checks } from '../check.ts';
import { deliveryOf } from '../client.ts';
import { expectEqual, expectThat, Skip } from '../failure.ts';

const slowMs = 60_000;

export const messagingDeliver: Checks = {
  async 'ids: the id of a delivery tells what it delivers: different messages have different ids'(fixture) {
    const { ada, bob, group_id } = await fixture.pair();
    const ids = new Set<string>();
    for (let count = 0; count < 5; count += 1) {
      ids.add((await bob.message(await fixture.send(ada, group_id, 'the same'))).id);
    }
    expectEqual(ids.size, 5, 'different ids');
  },
  async 'again-at-sign-in: what is not acknowledged comes again at every sign-in, the same as it was'(
    fixture,
  ) {
    const { ada: sender, bob: deaf, group_id } = await fixture.pair({ acknowledges: false });
    const message_id = await fixture.send(sender, group_id, 'until you have it');
    const first = (await deaf.message(message_id)).payload;
    await deaf.close();
    for (let times = 0; times < 2; times += 1) {
      const again = await fixture.signedInAs(deaf.user, { acknowledges: false });
      expectEqual((await again.message(message_id)).payload, first, 'payload of the delivery at a sign-in');
      await again.close();
    }
  },
  async 'every-connection-replays: a connection that signs in is sent what another one of the user has not acknowledged'(
    fixture,
  ) {
    const { ada: sender, bob: deaf, group_id } = await fixture.pair({ acknowledges: false });
    const message_id = await fixture.send(sender, group_id, 'x');
    await deaf.message(message_id);
    await (await fixture.signedInAs(deaf.user)).message(message_id);
  },
  async 'again-while-connected: what is not acknowledged comes again while the user is connected'(fixture) {
    if (!fixture.options.slow) throw new Skip('takes long: made with --slow');
    const { ada: sender, bob: deaf, group_id } = await fixture.pair({ acknowledges: false });
    const message_id = await fixture.send(sender, group_id, 'until you have it');
    const isIt = deliveryOf(message_id);
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
};

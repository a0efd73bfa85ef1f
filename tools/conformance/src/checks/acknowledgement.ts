import { faultTexts } from '@hooligram/protocol';
import type { Topic } from '../check.ts';
import { expectEqual } from '../failure.ts';
import type { Peer } from '../peer.ts';
import type { Received } from '../received.ts';
import type { Stage } from '../stage.ts';

const deliveryOf = (message_id: number) => (frame: Received) =>
  frame.type === 'MESSAGING_DELIVER_REQUEST' && frame.payload.message_id === message_id;

/** Somebody who has two messages on the way and has acknowledged neither. */
async function twoWaiting(stage: Stage) {
  const sender = await stage.enter();
  const peer = await stage.enter({ acknowledges: false });
  const { group_id } = await stage.group(sender, peer);
  const ids = [await stage.say(sender, group_id, 'one'), await stage.say(sender, group_id, 'two')];
  const [one, two] = [await peer.message(ids[0]), await peer.message(ids[1])];
  return { sender, peer, group_id, one, two };
}

/** Closes the connection behind all that it sent, and waits for the delivery on a new one. */
async function comesAgain(stage: Stage, peer: Peer, ...deliveries: Received[]): Promise<void> {
  await peer.isServed();
  await peer.close();
  const again = await stage.enterAs(peer.person, { acknowledges: false });
  for (const { payload } of deliveries) await again.message(payload.message_id);
  await again.close();
}

export const acknowledgement: Topic = {
  name: 'acknowledgement',
  checks: [
    {
      name: 'ends-delivery',
      title: 'a message that was acknowledged by its message_id, with any frame id, is sent no more',
      async run(stage) {
        const { peer, one, two } = await twoWaiting(stage);
        peer.acknowledge(one, 'an id of my own');
        peer.acknowledge(two, '');
        await peer.isServed();
        await peer.close();
        for (const { payload } of [one, two]) {
          const isIt = deliveryOf(payload.message_id as number);
          await stage.untilNotSent(peer.person, isIt, 'an acknowledged message must not come for ever');
        }
      },
    },
    {
      name: 'never-by-frame-id',
      title: 'a SUCCESS is matched by what its payload names, never by the id of the frame',
      async run(stage) {
        const { peer, one, two } = await twoWaiting(stage);
        peer.send('MESSAGING_DELIVER_SUCCESS', { message_id: two.payload.message_id }, one.id);
        await comesAgain(stage, peer, one);
      },
    },
    {
      name: 'any-connection',
      title: 'an acknowledgement on any of the person’s connections counts for the person',
      async run(stage) {
        const { sender, peer, group_id } = await twoWaiting(stage);
        const other = await stage.enterAs(peer.person, { acknowledges: false });
        const message_id = await stage.say(sender, group_id, 'for one of you');
        await peer.message(message_id);
        for (const known of peer.messagesOf(group_id)) {
          await other.message(known.message_id);
          other.send('MESSAGING_DELIVER_SUCCESS', { message_id: known.message_id });
        }
        await other.isServed();
        await Promise.all([other.close(), peer.close()]);
        const isIt = deliveryOf(message_id);
        await stage.untilNotSent(
          peer.person,
          isIt,
          'what another connection acknowledged must not come for ever',
        );
      },
    },
    {
      name: 'failure-marks-nothing',
      title: 'a MESSAGING_DELIVER_FAILURE marks nothing: the message comes again',
      async run(stage) {
        const { peer, one, two } = await twoWaiting(stage);
        for (const { id } of [one, two]) {
          peer.send('MESSAGING_DELIVER_FAILURE', { errors: ['no room left'] }, id);
        }
        await comesAgain(stage, peer, one, two);
      },
    },
    {
      name: 'of-somebody-else',
      title: 'an acknowledgement of what was not sent to this person is ignored',
      async run(stage) {
        const { peer, one, two } = await twoWaiting(stage);
        const outsider = await stage.enter();
        for (const { payload } of [one, two]) {
          const { message_id, group_id } = payload;
          outsider.send('MESSAGING_DELIVER_SUCCESS', { message_id });
          outsider.send('GROUP_DELIVER_SUCCESS', { group_id });
        }
        outsider.send('MESSAGING_DELIVER_SUCCESS', { message_id: 2 ** 53 - 1 });
        await outsider.isServed();
        await comesAgain(stage, peer, one, two);
      },
    },
    {
      name: 'malformed',
      title: 'a malformed acknowledgement marks nothing and is told why by CONN_FRAME_FAILURE',
      async run(stage) {
        const { peer, one, two } = await twoWaiting(stage);
        const { message_id } = one.payload;
        const malformed: [type: string, payload: unknown, error: string][] = [
          [
            'MESSAGING_DELIVER_SUCCESS',
            { message_id: `${message_id}` },
            `payload.message_id: ${faultTexts.notAnInteger}`,
          ],
          ['MESSAGING_DELIVER_SUCCESS', {}, `payload.message_id: ${faultTexts.missing}`],
          ['MESSAGING_DELIVER_SUCCESS', [message_id], `payload: ${faultTexts.notAnObject}`],
          ['GROUP_DELIVER_SUCCESS', { group_id: 0 }, `payload.group_id: ${faultTexts.integerNotPositive}`],
          ['MESSAGING_DELIVER_FAILURE', {}, `payload.errors: ${faultTexts.missing}`],
          ['GROUP_DELIVER_FAILURE', { errors: 'x' }, `payload.errors: ${faultTexts.notAList}`],
        ];
        for (const [type, payload, error] of malformed) {
          const after = peer.frames.length;
          peer.send(type, payload, one.id);
          const isTold = (frame: Received) => frame.type === 'CONN_FRAME_FAILURE' && frame.id === one.id;
          const told = await peer.next(isTold, `CONN_FRAME_FAILURE to a malformed ${type}`, after);
          expectEqual(told.payload.errors, [error], `errors of a malformed ${type}`);
        }
        await comesAgain(stage, peer, one, two);
      },
    },
    {
      name: 'no-answer',
      title: 'a well-formed acknowledgement is not answered',
      async run(stage) {
        const { peer, one, two, group_id } = await twoWaiting(stage);
        const after = peer.frames.length;
        peer.acknowledge(one, 'ack');
        peer.send('MESSAGING_DELIVER_FAILURE', { errors: [] }, two.id);
        peer.send('GROUP_DELIVER_SUCCESS', { group_id }, 'ack');
        peer.send('GROUP_DELIVER_FAILURE', { errors: ['x'] }, 'ack');
        // Behind all of them, so that what answers them is here when the keep-alive's answer is.
        await peer.isServed();
        const isAnswer = ({ id, type }: Received) =>
          id === 'ack' || (type !== 'CONN_KEEP_ALIVE_SUCCESS' && /_(SUCCESS|FAILURE)$/.test(type));
        await peer.never(isAnswer, 'an acknowledgement must get no answer', after);
      },
    },
    {
      name: 'before-sign-in',
      title: 'an acknowledgement on a connection where nobody is signed in is ignored',
      async run(stage) {
        const { peer, one, two } = await twoWaiting(stage);
        const nobody = await stage.connect();
        for (const { payload } of [one, two]) {
          nobody.send('MESSAGING_DELIVER_SUCCESS', { message_id: payload.message_id });
        }
        await nobody.isServed();
        await comesAgain(stage, peer, one, two);
      },
    },
  ],
};

import { faultTexts } from '@hooligram/protocol';
import type { ReceivedFrame } from '@hooligram/protocol-client';
import type { Checks } from '../check.ts';
import { type Client, deliveryOf } from '../client.ts';
import { expectEqual } from '../failure.ts';
import type { Fixture } from '../fixture.ts';

/** Somebody who has two messages on the way and has acknowledged neither. */
async function twoWaiting(fixture: Fixture) {
  const sender = await fixture.signedIn();
  const client = await fixture.signedIn({ acknowledges: false });
  const { group_id } = await fixture.group(sender, client);
  const ids = [await fixture.send(sender, group_id, 'one'), await fixture.send(sender, group_id, 'two')];
  const [one, two] = [await client.message(ids[0]), await client.message(ids[1])];
  return { sender, client, group_id, one, two };
}

/** Closes the connection behind all that it sent, and waits for the delivery on a new one. */
async function comesAgain(fixture: Fixture, client: Client, ...deliveries: ReceivedFrame[]): Promise<void> {
  await client.isServed();
  await client.close();
  const again = await fixture.signedInAs(client.user, { acknowledges: false });
  for (const { payload } of deliveries) await again.message(payload.message_id);
  await again.close();
}

export const acknowledgement: Checks = {
  async 'ends-delivery: a message that was acknowledged by its message_id, with any frame id, is sent no more'(
    fixture,
  ) {
    const { client, one, two } = await twoWaiting(fixture);
    client.acknowledge(one, 'an id of my own');
    client.acknowledge(two, '');
    await client.isServed();
    await client.close();
    for (const { payload } of [one, two]) {
      const what = 'an acknowledged message must not come again and again';
      await fixture.untilNotSent(client.user, deliveryOf(payload.message_id), what);
    }
  },
  async 'never-by-frame-id: a SUCCESS is matched by what its payload names, never by the id of the frame'(
    fixture,
  ) {
    const { client, one, two } = await twoWaiting(fixture);
    client.send('MESSAGING_DELIVER_SUCCESS', { message_id: two.payload.message_id }, one.id);
    await comesAgain(fixture, client, one);
  },
  async 'any-connection: an acknowledgement on any of the user’s connections counts for the user'(fixture) {
    const { sender, client, group_id } = await twoWaiting(fixture);
    const other = await fixture.signedInAs(client.user, { acknowledges: false });
    const message_id = await fixture.send(sender, group_id, 'for one of you');
    await client.message(message_id);
    for (const known of client.messagesOf(group_id)) {
      await other.message(known.message_id);
      other.send('MESSAGING_DELIVER_SUCCESS', { message_id: known.message_id });
    }
    await other.isServed();
    await Promise.all([other.close(), client.close()]);
    const what = 'what another connection acknowledged must not come again and again';
    await fixture.untilNotSent(client.user, deliveryOf(message_id), what);
  },
  async 'failure-marks-nothing: a MESSAGING_DELIVER_FAILURE marks nothing: the message comes again'(fixture) {
    const { client, one, two } = await twoWaiting(fixture);
    for (const { id } of [one, two]) {
      client.send('MESSAGING_DELIVER_FAILURE', { errors: ['no room left'] }, id);
    }
    await comesAgain(fixture, client, one, two);
  },
  async 'of-somebody-else: an acknowledgement of what was not sent to this user is ignored'(fixture) {
    const { client, one, two } = await twoWaiting(fixture);
    const outsider = await fixture.signedIn();
    for (const { payload } of [one, two]) {
      const { message_id, group_id } = payload;
      outsider.send('MESSAGING_DELIVER_SUCCESS', { message_id });
      outsider.send('GROUP_DELIVER_SUCCESS', { group_id });
    }
    outsider.send('MESSAGING_DELIVER_SUCCESS', { message_id: 2 ** 53 - 1 });
    await outsider.isServed();
    await comesAgain(fixture, client, one, two);
  },
  async 'malformed: a malformed acknowledgement marks nothing and is told why by CONN_FRAME_FAILURE'(
    fixture,
  ) {
    const { client, one, two } = await twoWaiting(fixture);
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
      const after = client.frames.length;
      client.send(type, payload, one.id);
      const isTold = (frame: ReceivedFrame) => frame.type === 'CONN_FRAME_FAILURE' && frame.id === one.id;
      const told = await client.first(isTold, `CONN_FRAME_FAILURE to a malformed ${type}`, after);
      expectEqual(told.payload.errors, [error], `errors of a malformed ${type}`);
    }
    await comesAgain(fixture, client, one, two);
  },
  async 'no-answer: a well-formed acknowledgement is not answered'(fixture) {
    const { client, one, two, group_id } = await twoWaiting(fixture);
    const after = client.frames.length;
    client.acknowledge(one, 'ack');
    client.send('MESSAGING_DELIVER_FAILURE', { errors: [] }, two.id);
    client.send('GROUP_DELIVER_SUCCESS', { group_id }, 'ack');
    client.send('GROUP_DELIVER_FAILURE', { errors: ['x'] }, 'ack');
    // Behind all of them, so that what answers them is here when the keep-alive's answer is.
    await client.isServed();
    const isAnswer = ({ id, type }: ReceivedFrame) =>
      id === 'ack' || (type !== 'CONN_KEEP_ALIVE_SUCCESS' && /_(SUCCESS|FAILURE)$/.test(type));
    await client.never(isAnswer, 'an acknowledgement must get no answer', after);
  },
  async 'before-sign-in: an acknowledgement on a connection where nobody is signed in is ignored'(fixture) {
    const { client, one, two } = await twoWaiting(fixture);
    const nobody = await fixture.connect();
    for (const { payload } of [one, two]) {
      nobody.send('MESSAGING_DELIVER_SUCCESS', { message_id: payload.message_id });
    }
    await nobody.isServed();
    await comesAgain(fixture, client, one, two);
  },
};

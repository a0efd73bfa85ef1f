import type { Checks } from '../check.ts';
import { type Client, deliveryOf, stateOf } from '../client.ts';
import { expectEqual, expectThat, Skip, shown } from '../failure.ts';
import type { Fixture } from '../fixture.ts';
import type { MobileClient } from '../mobile-client.ts';

const rounds = 20;

/** A user with the mobile client, and a user with another client, in a group. */
async function pair(fixture: Fixture): Promise<{ mobile: MobileClient; client: Client; group_id: number }> {
  const [mobile, client] = [await fixture.mobile(), await fixture.signedIn()];
  const group_id = await fixture.create(client, [client.sid, mobile.sid, fixture.unknownSid()], 'mobile');
  await mobile.next(stateOf(group_id), `the delivery of group ${group_id}`);
  return { mobile, client, group_id };
}

async function say(mobile: MobileClient, group_id: number, content: string): Promise<number> {
  const answer = await mobile.request('MESSAGING_SEND', { group_id, content });
  expectThat(
    answer.type === 'MESSAGING_SEND_SUCCESS',
    `MESSAGING_SEND_REQUEST must succeed, got ${shown(answer)}`,
  );
  return answer.payload.message_id as number;
}

/** Fails unless the client was only ever sent deliveries and one answer to each of its requests. */
function expectOneAnswerEach(mobile: MobileClient, requests: number): void {
  const answers = mobile.frames.filter(({ type }) => !type.endsWith('_DELIVER_REQUEST'));
  const types = answers.map(({ type }) => type);
  expectEqual(
    answers.length,
    requests,
    `answers to ${requests} requests (${[...new Set(types)].join(', ')})`,
  );
}

export const mobileClient: Checks = {
  async 'chats: a client that sends back every frame, and acts without ids, chats on and is told nothing for it'(
    fixture,
  ) {
    const { mobile, client, group_id } = await pair(fixture);
    const ids: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ids.push(await say(mobile, group_id, `mobile ${round}`));
      ids.push(await fixture.send(client, group_id, `client ${round}`));
      mobile.act('GO_TO_GROUP_MESSAGE');
    }
    for (const id of ids) {
      await mobile.next(deliveryOf(id), `the delivery of message ${id}`);
      await client.message(id);
    }
    // Behind everything that it sent back.
    await mobile.request('CONN_KEEP_ALIVE', {});
    await fixture.quiet();
    // The sign-in, the messages, the keep-alive.
    expectOneAnswerEach(mobile, rounds + 2);
    expectEqual(mobile.closes, [], 'closes of the connection');
  },
  async 'ignored: frames that are ignored never close a connection, however many they are'(fixture) {
    const { badFramesMax } = fixture.options;
    if (badFramesMax === 0) throw new Skip('--bad-frames 0');
    const { mobile, client, group_id } = await pair(fixture);
    for (let count = 0; count <= badFramesMax; count += 1) mobile.act('GO_TO_HOME');
    const message_id = await fixture.send(client, group_id, 'are you there?');
    await mobile.next(deliveryOf(message_id), `the delivery of message ${message_id}`);
    await mobile.request('CONN_KEEP_ALIVE', {});
    await fixture.quiet();
    expectOneAnswerEach(mobile, 2);
    expectEqual(mobile.closes, [], 'closes of the connection');
  },
  async 'returns: it comes back a second after its connection broke, and is sent its groups and what it missed'(
    fixture,
  ) {
    const { mobile, client, group_id } = await pair(fixture);
    mobile.cut();
    const message_id = await fixture.send(client, group_id, 'while you were away');
    await mobile.signedIn(2);
    const after = mobile.frames.findLastIndex(({ type }) => type === 'AUTHORIZATION_SIGN_IN_SUCCESS');
    await mobile.next(stateOf(group_id), `the delivery of group ${group_id}`, after);
    await mobile.next(deliveryOf(message_id), `the delivery of message ${message_id}`, after);
    await mobile.request('CONN_KEEP_ALIVE', {});
    await fixture.quiet();
    expectOneAnswerEach(mobile, 3);
    expectEqual(mobile.closes.length, 1, 'closes of the connection');
  },
};

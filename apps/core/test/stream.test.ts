import { randomUUID } from 'node:crypto';
import { describe, test } from '@jest/globals';
import {
  createGroup,
  receiveMessage,
  type SignedInClient,
  sendMessage,
  startFixture,
  state,
  until,
} from './fixture.ts';

const fixture = startFixture({ gateways: 2, cores: 2 });

async function pair(): Promise<{ ada: SignedInClient; bob: SignedInClient; group_id: number }> {
  const [ada, bob] = [await fixture.enter(0), await fixture.enter(1)];
  const group_id = await createGroup(ada, [bob.sid]);
  for (const person of [ada, bob]) await state(person, group_id);
  return { ada, bob, group_id };
}

function send({ client }: SignedInClient, group_id: number, content: string) {
  return client.requestOk('MESSAGING_SEND', { group_id, content }, randomUUID());
}

describe('the stream of requests', () => {
  test('is empty when all is answered, and nothing is pending', async () => {
    const { ada, bob, group_id } = await pair();
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => send(index % 2 ? ada : bob, group_id, `message ${index}`)),
    );
    const redis = await fixture.redis();
    await until('all of it is gone', async () => {
      const [pending] = (await redis.xpending(fixture.names.requests, fixture.names.cores)) as [number];
      return Number(pending) === 0 && (await redis.xlen(fixture.names.requests)) === 0;
    });
  });

  test('that Redis has lost is created again from its beginning: later requests are answered', async () => {
    const { ada, bob, group_id } = await pair();
    const redis = await fixture.redis();
    for (let times = 0; times < 3; times += 1) {
      await redis.del(fixture.names.requests);
      await receiveMessage(bob, await sendMessage(ada, group_id, `message ${times}`));
    }
  });
});

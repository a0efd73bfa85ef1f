import { connect, type TestClient } from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { expect, test } from '@jest/globals';
import { createGroup, startFixture } from './fixture.ts';

const groups = 4;
const messages = 64;
/** Each becomes a frame of some 65 KB: more of them wait than a socket and the kernel have room for. */
const controlCharacters = 10_800;

const fixture = startFixture({ gateways: 1, cores: 1 });

/** In the order in which they came first: on a slow machine some are acknowledged too late, and come again. */
function numbersIn(client: TestClient, groupId: number): number[] {
  const numbers = client
    .received('MESSAGING_DELIVER_REQUEST')
    .filter(({ payload }) => payload.group_id === groupId)
    .map(({ payload }) => Number.parseInt(payload.content ?? '', 10));
  return [...new Set(numbers)];
}

test('four groups of large messages that wait reach a client behind a slow link, all of them, in order', async () => {
  const [ada, bob] = [await fixture.enter(0), await fixture.enter(0)];
  const groupIds: number[] = [];
  for (let at = 0; at < groups; at += 1) groupIds.push(await createGroup(ada, [bob.sid, `1.55501${at}0`]));
  bob.client.terminate();
  await fixture.rows(
    `WITH raised AS (UPDATE "group" SET last_seq = $2 WHERE id = ANY ($1))
     INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
     SELECT nextval('message_id_seq'), g, seq, (SELECT id FROM "user" WHERE sid = $3), gen_random_uuid(),
       seq || ' ' || repeat(chr(1), $4), now()
     FROM unnest($1::bigint[]) g, generate_series(1, $2::bigint) seq ORDER BY seq`,
    [groupIds, messages, ada.sid, controlCharacters],
  );
  const proxy = await FaultyTcpProxy.start(fixture.system.gateway(0).url, {
    link: { bytesPerSecond: 8_000_000, delayMs: 20 },
  });
  const before = await fixture.counted('gateway_slow_closed_total');
  const client = await connect(proxy.urlOf(fixture.system.gateway(0).url));
  await client.authorize(bob.sid);
  await client.waitFor(() => groupIds.every((id) => numbersIn(client, id).length === messages));
  for (const id of groupIds) {
    expect(numbersIn(client, id)).toEqual(Array.from({ length: messages }, (_, at) => at + 1));
  }
  expect(await fixture.counted('gateway_slow_closed_total')).toBe(before);
  client.terminate();
  await proxy.stop();
});

import { connect, type TestClient } from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterEach, expect, test } from '@jest/globals';
import { createGroup, sendMessage, startFixture } from './fixture.ts';

const groups = 4;
const messages = 64;
/** Each becomes a frame of some 65 KB: more of them wait than a socket and the kernel have room for. */
const controlCharacters = 10_800;

const fixture = startFixture({ gateways: 1, cores: 1 });

let proxy: FaultyTcpProxy | undefined;
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});

/** In the order in which they came first: on a slow machine some are acknowledged too late, and come again. */
function numbersIn(client: TestClient, groupId: number): number[] {
  const numbers = client
    .received('MESSAGING_DELIVER_REQUEST')
    .filter(({ payload }) => payload.group_id === groupId)
    .map(({ payload }) => Number.parseInt(payload.content ?? '', 10));
  return [...new Set(numbers)];
}

/** Stores messages of which no gateway was told. */
function storeUntold(groupIds: readonly number[], sender: string): Promise<unknown> {
  return fixture.rows(
    `WITH raised AS (UPDATE "group" SET last_seq = $2 WHERE id = ANY ($1))
     INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
     SELECT nextval('message_id_seq'), g, seq, (SELECT id FROM "user" WHERE sid = $3), gen_random_uuid(),
       seq || ' ' || repeat(chr(1), $4), now()
     FROM unnest($1::bigint[]) g, generate_series(1, $2::bigint) seq ORDER BY seq`,
    [groupIds, messages, sender, controlCharacters],
  );
}

async function createGroups(
  ada: Awaited<ReturnType<typeof fixture.enter>>,
  others: string[],
): Promise<number[]> {
  const groupIds: number[] = [];
  for (let at = 0; at < groups; at += 1) {
    groupIds.push(await createGroup(ada, [...others, `1.55501${groupIds.length}0`]));
  }
  return groupIds;
}

const inOrder = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

test('four groups of large messages that wait reach a client behind a slow link, all of them, in order', async () => {
  const [ada, bob] = [await fixture.enter(0), await fixture.enter(0)];
  const groupIds = await createGroups(ada, [bob.sid]);
  bob.client.terminate();
  await storeUntold(groupIds, ada.sid);
  proxy = await FaultyTcpProxy.start(fixture.system.gateway(0).url, {
    link: { bytesPerSecond: 8_000_000, delayMs: 20 },
  });
  const before = await fixture.counted('gateway_slow_closed_total');
  const client = await connect(proxy.urlOf(fixture.system.gateway(0).url));
  await client.authorize(bob.sid);
  await client.waitFor(() => groupIds.every((id) => numbersIn(client, id).length === messages));
  for (const id of groupIds) expect(numbersIn(client, id)).toEqual(inOrder(messages));
  expect(await fixture.counted('gateway_slow_closed_total')).toBe(before);
  client.terminate();
});

test('what a gateway missed does not close a client that reads nothing while it is fetched: it is replayed that, in order', async () => {
  const [ada, bob] = [await fixture.enter(0), await fixture.enter(0)];
  const groupIds = await createGroups(ada, [bob.sid]);
  await bob.client.waitFor(() => bob.client.received('GROUP_DELIVER_REQUEST').length === groups);
  const before = await fixture.counted('gateway_slow_closed_total');
  await storeUntold(groupIds, ada.sid);
  bob.client.socket.pause();
  // Each is the first of which the gateway hears behind a gap.
  for (const id of groupIds) await sendMessage(ada, id, String(messages + 1));
  await ada.client.waitFor(() => groupIds.every((id) => numbersIn(ada.client, id).length === messages + 1));
  bob.client.socket.resume();
  await bob.client.waitFor(() => groupIds.every((id) => numbersIn(bob.client, id).length === messages + 1));
  for (const id of groupIds) expect(numbersIn(bob.client, id)).toEqual(inOrder(messages + 1));
  expect(await fixture.counted('gateway_slow_closed_total')).toBe(before);
});

import { connect, type ReceivedFrame, type TestClient } from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterEach, expect, test } from '@jest/globals';
import { createGroup, sendMessage, sendTo, startFixture } from './fixture.ts';

const groups = 4;
const messages = 64;
/** Each becomes a frame of some 65 KB: more of them wait than a socket and the kernel have room for. */
const controlCharacters = 10_800;

/**
 * States as large as those of groups of 4,400. Here it is their names that make them so large: hundreds of thousands of members
 * would take longer to store than all else takes. All of them have 5 MB, more than a socket and the kernel have room for.
 */
const largeGroups = 60;
const largeNameCharacters = 85_000;

// Who reads nothing answers no ping, and a busy machine takes long.
const fixture = startFixture({ gateways: 1, cores: 1, gatewayEnv: { IDLE_TIMEOUT_SECONDS: '960' } });

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

/** Somebody puts a user into groups with large states. The user's gateway is not told. @returns the groups */
async function putIntoLargeGroups(sid: string): Promise<number[]> {
  const rows = await fixture.rows<{ id: number }>(
    `WITH made AS (
       INSERT INTO "group" (name, is_direct_message) SELECT repeat('x', $3), false FROM generate_series(1, $2::int)
       RETURNING id
     ), joined AS (
       INSERT INTO group_member (group_id, user_id, joined_seq)
       SELECT made.id, u.id, 0 FROM made CROSS JOIN "user" u WHERE u.sid = $1
     )
     SELECT id::float8 FROM made`,
    [sid, largeGroups, largeNameCharacters],
  );
  return rows.map(({ id }) => id);
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
  const before = await fixture.counted('hooligram_gateway_slow_closed_total');
  const client = await connect(proxy.urlOf(fixture.system.gateway(0).url));
  await client.authorize(bob.sid);
  await client.waitFor(() => groupIds.every((id) => numbersIn(client, id).length === messages));
  for (const id of groupIds) expect(numbersIn(client, id)).toEqual(inOrder(messages));
  expect(await fixture.counted('hooligram_gateway_slow_closed_total')).toBe(before);
  client.terminate();
});

test('what a gateway missed does not close a client that reads nothing while it is fetched: it is replayed that, in order', async () => {
  const [ada, bob] = [await fixture.enter(0), await fixture.enter(0)];
  const groupIds = await createGroups(ada, [bob.sid]);
  await bob.client.waitFor(() => bob.client.received('GROUP_DELIVER_REQUEST').length === groups);
  const before = await fixture.counted('hooligram_gateway_slow_closed_total');
  await storeUntold(groupIds, ada.sid);
  bob.client.socket.pause();
  // Each is the first of which the gateway hears behind a gap.
  for (const id of groupIds) await sendMessage(ada, id, String(messages + 1));
  await ada.client.waitFor(() => groupIds.every((id) => numbersIn(ada.client, id).length === messages + 1));
  bob.client.socket.resume();
  await bob.client.waitFor(() => groupIds.every((id) => numbersIn(bob.client, id).length === messages + 1));
  for (const id of groupIds) expect(numbersIn(bob.client, id)).toEqual(inOrder(messages + 1));
  expect(await fixture.counted('hooligram_gateway_slow_closed_total')).toBe(before);
});

test('a user whom a stranger put into large groups is told all of them over a slow link, on eight connections at once, and keeps nobody from signing in', async () => {
  const bob = await fixture.enter(0);
  bob.client.terminate();
  const groupIds = await putIntoLargeGroups(bob.sid);
  const before = await fixture.counted('hooligram_gateway_slow_closed_total');
  proxy = await FaultyTcpProxy.start(fixture.system.gateway(0).url, {
    link: { bytesPerSecond: 2_000_000, delayMs: 20 },
  });
  const url = proxy.urlOf(fixture.system.gateway(0).url);
  const connections = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const told = new Set<unknown>();
      const readFrame = (text: string) => {
        const frame = JSON.parse(text) as ReceivedFrame;
        if (frame.type !== 'GROUP_DELIVER_REQUEST') return frame;
        const { group_name, ...payload } = frame.payload;
        if (group_name?.length === largeNameCharacters) told.add(payload.group_id);
        return { ...frame, payload };
      };
      const client = await connect(url, { readFrame });
      await client.authorize(bob.sid);
      client.socket.pause();
      return { client, told };
    }),
  );
  // While none of them reads, somebody signs up and in, and chats.
  const [cat, dan] = [await fixture.enter(0), await fixture.enter(0)];
  await sendTo(dan, cat, await createGroup(cat, [dan.sid]), 'hello');
  for (const { client } of connections) client.socket.resume();
  for (const { client, told } of connections) {
    await client.waitFor(() => told.size === groupIds.length);
    client.terminate();
  }
  expect(await fixture.counted('hooligram_gateway_slow_closed_total')).toBe(before);
});

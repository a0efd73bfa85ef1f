import { closeReasons, messageDeliveryId } from '@hooligram/protocol';
import { metrics } from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, Fixture, metric, range, type SignedInClient } from '../fixture.ts';
import type { Standing, StoredGroup, TestUser } from '../stored-group.ts';

const windowSize = 4;

let fixture: Fixture;

// Nothing is written, reported or fetched unless a redelivery request asks for it.
beforeAll(async () => {
  fixture = await Fixture.start({
    CURSOR_FLUSH_MS: '600000',
    DELIVERY_ACK_DEADLINE_MS: '600000',
    GAP_WAIT_MS: '600000',
    REPLAY_WINDOW: String(windowSize),
  });
  // The first cursors after a pause leave at once: from now on there is none.
  const first = fixture.user();
  const group = fixture.group([first]);
  const client = await fixture.connectAs(first, [group]);
  await publish([client], group, 1);
  const written = fixture.nextCursors(first);
  client.acknowledge(group, 1);
  await (await written).succeed({});
});

afterEach(() => fixture.redisProxy().reset());

afterAll(() => fixture?.stop());

async function publish(clients: readonly SignedInClient[], group: StoredGroup, count: number): Promise<void> {
  for (const message of group.storeMany(count)) await fixture.core.publish.message(message);
  await Promise.all(clients.map((client) => client.has(group, group.lastSeq)));
}

/** Resolves when the gateway has acted on everything so far, and owes this user nothing for having been request. */
async function settled(client: SignedInClient): Promise<void> {
  await client.settled();
  const sentinel = fixture.sentinel(client.user);
  client.acknowledge(sentinel, sentinel.lastSeq);
  await client.client.roundTrip();
}

/** Requests redelivery, and answers for the cursors that are written then. @returns where the group's cursor stands */
async function flushed({ user }: SignedInClient, group: StoredGroup): Promise<number | undefined> {
  const written = fixture.nextCursors(user);
  await fixture.core.publish.redeliveryRequest(user.userId);
  const request = await written;
  await request.succeed({});
  return request.params.cursors.find(({ group_id }) => group_id === group.id)?.delivered_seq;
}

/** Requests redelivery, and answers what is read first: where the user stands in which groups. */
async function requestRedelivery(
  { user }: SignedInClient,
  ...standings: [StoredGroup, Standing][]
): Promise<void> {
  const token = await fixture.core.publish.redeliveryRequest(user.userId);
  await fixture.core.acknowledged(token);
  const read = await fixture.nextRead(user);
  expect(read.params.group_ids).toEqual(standings.map(([group]) => group.id));
  await read.succeed({ memberships: standings.map(([group, standing]) => group.membership(standing)) });
}

/** A user in a group who was sent so many messages there and has acknowledged none. */
async function sent(count: number, ...others: readonly TestUser[]) {
  const ada = fixture.user();
  const group = fixture.group([ada, ...others]);
  const a = await fixture.connectAs(ada, [group]);
  await publish([a], group, count);
  return { ada, a, group };
}

/** Requests redelivery, and stops where the page of what is not acknowledged has been read and has not arrived. */
async function beingRead(client: SignedInClient, group: StoredGroup) {
  await requestRedelivery(client, [group, { delivered_seq: 0 }]);
  const request = await fixture.nextPage(group);
  return { request, page: group.page(request.params) };
}

async function answerPage(group: StoredGroup) {
  const request = await fixture.nextPage(group);
  await request.succeed(group.page(request.params, request.params.limit));
  return request.params;
}

describe('a redelivery request is acknowledged', () => {
  test('to the channel that it names, and not before the core has stored the cursors', async () => {
    const { ada, a, group } = await sent(2);
    a.acknowledge(group, 1, 2);
    await a.client.roundTrip();
    const cursors = fixture.nextCursors(ada);
    const token = await fixture.core.publish.redeliveryRequest(ada.userId);
    const request = await cursors;
    expect(request.params.cursors).toContainEqual({
      user_id: ada.userId,
      group_id: group.id,
      delivered_seq: 2,
      delivered_version: 1,
    });
    await settled(a);
    await a.sentAll();
    expect(await fixture.core.isAcknowledged(token)).toBe(false);
    await request.succeed({});
    await fixture.core.acknowledged(token);
    expect(fixture.core.acknowledgements).toContainEqual({ user_id: ada.userId, token });
  });

  test('and sends nothing when all is acknowledged', async () => {
    const { ada, a, group } = await sent(2);
    a.acknowledge(group, 1, 2);
    await a.client.roundTrip();
    await fixture.core.acknowledged(await fixture.core.publish.redeliveryRequest(ada.userId));
    await settled(a);
    await a.sentAll();
    expect(fixture.pagesOf(group)).toBe(0);
    expect(a.seqs(group)).toEqual([1, 2]);
  });

  test('by no gateway without a connection of the user, even if it still receives the request', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const [a, b] = [await fixture.connectAs(ada), await fixture.connectAs(bob)];
    fixture.redisProxy().hold('subscriber', 'toRedis');
    const signedIn = await metric(fixture.system.gateway(0), 'gateway_users');
    await a.client.close();
    await eventually(
      async () => (await metric(fixture.system.gateway(0), 'gateway_users')) === signedIn - 1,
      'the gateway has noticed',
    );
    const token = await fixture.core.publish.redeliveryRequest(ada.userId);
    await settled(b);
    await b.sentAll();
    expect(await fixture.core.isAcknowledged(token)).toBe(false);
  });
});

describe('on a redelivery request a gateway sends again', () => {
  test('and times the acknowledgement as a retry, where the first one was live', async () => {
    const { a, group } = await sent(2);
    const count = async (path: string) =>
      (await metrics(fixture.system.gateway(0).adminUrl)).value('hooligram_gateway_delivery_seconds_count', {
        path,
      });
    const [live, retry] = [await count('live'), await count('retry')];
    a.acknowledge(group, 1);
    await a.client.roundTrip();
    expect(await count('live')).toBe(live + 1);
    await requestRedelivery(a, [group, { delivered_seq: 1 }]);
    await answerPage(group);
    await a.client.waitFor(() => a.seqs(group).length === 3);
    a.acknowledge(group, 2);
    // Acknowledged twice, it is one delivery.
    a.acknowledge(group, 2);
    await settled(a);
    expect(await count('retry')).toBe(retry + 1);
  });

  test('only what is not acknowledged, also of what lies before an acknowledgement', async () => {
    const { a, group } = await sent(5);
    a.acknowledge(group, 1, 3, 5);
    await a.client.roundTrip();
    await requestRedelivery(a, [group, { delivered_seq: 1 }]);
    expect(await answerPage(group)).toMatchObject({ after_seq: 1 });
    await a.has(group, 5);
    await settled(a);
    expect(a.seqs(group)).toEqual([...range(1, 5), 2, 4]);
    // What was sent again is acknowledged as it was at first.
    a.acknowledge(group, 2, 4);
    await a.client.roundTrip();
    expect(await flushed(a, group)).toBe(5);
  });

  test('what the client refused: a FAILURE stops no redelivery', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [[group, { delivered_version: 0 }]]);
    await publish([a], group, 1);
    const refusal = { errors: ['the phone is full'] };
    const { message_id } = group.message(1);
    a.client.send('MESSAGING_DELIVER_FAILURE', refusal, messageDeliveryId(group.id, message_id));
    a.client.send('GROUP_DELIVER_FAILURE', refusal, `g.${group.id}.1`);
    await a.client.roundTrip();
    await requestRedelivery(a, [group, { delivered_seq: 0, delivered_version: 0 }]);
    await answerPage(group);
    await a.client.waitFor(() => a.seqs(group).length === 2);
    expect(a.seqs(group)).toEqual([1, 1]);
    expect(a.versions(group)).toEqual([1, 1]);
  });

  test('at most a window of messages, of all groups together, and goes on behind what is acknowledged', async () => {
    const ada = fixture.user();
    const [one, two] = [fixture.group([ada]), fixture.group([ada])];
    const a = await fixture.connectAs(ada, [one, two]);
    await publish([a], one, 6);
    await publish([a], two, 6);
    await requestRedelivery(a, [one, { delivered_seq: 0 }], [two, { delivered_seq: 0 }]);
    expect(await answerPage(one)).toMatchObject({ after_seq: 0, limit: windowSize });
    await settled(a);
    await a.sentAll();
    expect(a.seqs(one).slice(6)).toEqual(range(1, 4));
    expect(fixture.pagesOf(two)).toBe(0);

    a.acknowledge(one, ...range(1, 5));
    await a.client.roundTrip();
    await requestRedelivery(a, [one, { delivered_seq: 5 }], [two, { delivered_seq: 0 }]);
    expect(await answerPage(one)).toMatchObject({ after_seq: 5, limit: windowSize });
    expect(await answerPage(two)).toMatchObject({ after_seq: 0, limit: windowSize - 1 });
    await settled(a);
    expect(a.seqs(one).slice(10)).toEqual([6]);
    expect(a.seqs(two).slice(6)).toEqual(range(1, 3));
  });

  test('the newest state, unless it was acknowledged elsewhere or sent often enough', async () => {
    const ada = fixture.user();
    const groups = [fixture.group([ada]), fixture.group([ada]), fixture.group([ada])] as const;
    const [owed, elsewhere, given] = groups;
    const a = await fixture.connectAs(
      ada,
      groups.map((group) => [group, { delivered_version: 0 }] as const),
    );
    await requestRedelivery(
      a,
      [owed, { delivered_version: 0 }],
      [elsewhere, { delivered_version: 1 }],
      [given, { delivered_version: 0, retried_version: 1 }],
    );
    await settled(a);
    expect(groups.map((group) => a.versions(group))).toEqual([[1, 1], [1], [1]]);
  });

  test('to every connection of the user', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const [one, two] = [await fixture.connectAs(ada, [group]), await fixture.connectAs(ada, [group])];
    await publish([one, two], group, 1);
    await requestRedelivery(one, [group, { delivered_seq: 0 }]);
    await answerPage(group);
    await Promise.all([one, two].map((each) => each.client.waitFor(() => each.seqs(group).length === 2)));
  });
});

describe('a user on two gateways', () => {
  test('is not sent again what the other gateway wrote as acknowledged, and the cursor goes on behind it here', async () => {
    const { a, group } = await sent(3);
    await requestRedelivery(a, [group, { delivered_seq: 2 }]);
    expect(await answerPage(group)).toMatchObject({ after_seq: 2 });
    await a.client.waitFor(() => a.seqs(group).length === 4);
    expect(a.seqs(group)).toEqual([1, 2, 3, 3]);
    a.acknowledge(group, 3);
    await a.client.roundTrip();
    expect(await flushed(a, group)).toBe(3);
  });

  test('who has acknowledged everything on the other gateway is sent nothing again', async () => {
    const { a, group } = await sent(3);
    await requestRedelivery(a, [group, { delivered_seq: 3 }]);
    await settled(a);
    await a.sentAll();
    expect(fixture.pagesOf(group)).toBe(0);
    expect(a.seqs(group)).toEqual([1, 2, 3]);
  });
});

describe('nothing is sent again', () => {
  test('to a user who left while it was read', async () => {
    const { ada, a, group } = await sent(2, fixture.user());
    const { request, page } = await beingRead(a, group);
    await fixture.core.publish.state(group.remove(ada));
    await settled(a);
    await request.succeed(page);
    await settled(a);
    expect(a.seqs(group)).toEqual([1, 2]);
  });

  test('to a user who left, as the page itself or the cursors say', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const [one, two] = [fixture.group([ada, bob]), fixture.group([ada, bob])];
    const a = await fixture.connectAs(ada, [one, two]);
    await publish([a], one, 1);
    await publish([a], two, 1);
    const token = await fixture.core.publish.redeliveryRequest(ada.userId);
    await fixture.core.acknowledged(token);
    const read = await fixture.nextRead(ada);
    two.remove(ada);
    // Ada is no member of `two` any more, so the core answers with `one` alone.
    await read.succeed({ memberships: [one.membership({ delivered_seq: 0 })] });
    const request = await fixture.nextPage(one);
    one.remove(ada);
    await request.succeed(one.page(request.params));
    const requestOfTwo = await fixture.nextPage(two);
    await requestOfTwo.succeed(two.page(requestOfTwo.params));
    await settled(a);
    expect([a.seqs(one), a.seqs(two)]).toEqual([[1], [1]]);
  });

  test('of an earlier membership, to a user who was added again while it was read', async () => {
    const { ada, a, group } = await sent(2, fixture.user());
    const { request, page } = await beingRead(a, group);
    // The state between is lost.
    group.remove(ada);
    await fixture.core.publish.state(group.add(ada));
    await a.hasState(group, 3);
    await request.succeed(page);
    await settled(a);
    expect(a.seqs(group)).toEqual([1, 2]);
    await publish([a], group, 1);
    expect(a.seqs(group)).toEqual([1, 2, 3]);
  });

  test('that was acknowledged while it was read', async () => {
    const { a, group } = await sent(3);
    await requestRedelivery(a, [group, { delivered_seq: 0 }]);
    const request = await fixture.nextPage(group);
    a.acknowledge(group, 1, 3);
    await a.client.roundTrip();
    await request.succeed(group.page(request.params));
    await a.client.waitFor(() => a.seqs(group).length === 4);
    await settled(a);
    expect(a.seqs(group)).toEqual([1, 2, 3, 2]);
  });
});

describe('an eviction', () => {
  test('closes all connections of a user who does not acknowledge, with 4408, and no others', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    const [one, two] = [await fixture.connectAs(ada, [group]), await fixture.connectAs(ada, [group])];
    const b = await fixture.connectAs(bob, [group]);
    await publish([one, two, b], group, 1);
    const evicted = await metric(fixture.system.gateway(0), 'gateway_evicted_total');
    await fixture.core.publish.evict(ada.userId);
    const { code, reason } = closeReasons.notAcknowledged;
    expect([await one.client.closed, await two.client.closed]).toEqual([
      { code, reason },
      { code, reason },
    ]);
    await b.client.roundTrip();
    expect(await metric(fixture.system.gateway(0), 'gateway_evicted_total')).toBe(evicted + 2);
  });

  test('leaves the connection of a user who has acknowledged meanwhile', async () => {
    const { ada, a, group } = await sent(1);
    a.acknowledge(group, 1);
    await a.client.roundTrip();
    await fixture.core.publish.evict(ada.userId);
    await settled(a);
  });

  test('closes connections also for messages that were not sent because the window is full', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 10 });
    const a = await fixture.connectAs(ada, [[group, { delivered_seq: 0 }]]);
    for (let sent = 0; sent < windowSize; ) sent += (await answerPage(group)).limit ?? windowSize;
    await a.has(group, windowSize);
    await fixture.core.publish.evict(ada.userId);
    expect(await a.client.closed).toMatchObject({ code: closeReasons.notAcknowledged.code });
  });
});

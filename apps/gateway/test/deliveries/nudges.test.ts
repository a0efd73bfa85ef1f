import { closeReasons, messageDeliveryId } from '@hooligram/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { measured, type Present, range, Scene } from '../scene.ts';
import type { Person, Standing, StoredGroup } from '../stored-group.ts';

const windowSize = 4;

let scene: Scene;

// Nothing is written, reported or fetched unless a nudge asks for it.
beforeAll(async () => {
  scene = await Scene.start({
    CURSOR_FLUSH_MS: '600000',
    DELIVERY_ACK_DEADLINE_MS: '600000',
    GAP_WAIT_MS: '600000',
    REPLAY_WINDOW: String(windowSize),
  });
  // The first cursors after a pause leave at once: from now on there is none.
  const first = scene.person();
  const group = scene.group([first]);
  const present = await scene.enter(first, [group]);
  await publish([present], group, 1);
  const written = scene.nextCursors(first);
  present.acknowledge(group, 1);
  await (await written).succeed({});
});

afterEach(() => scene.wire().free());

afterAll(() => scene?.stop());

async function publish(presents: readonly Present[], group: StoredGroup, count: number): Promise<void> {
  for (const message of group.storeMany(count)) await scene.puppet.publish.message(message);
  await Promise.all(presents.map((present) => present.has(group, group.lastSeq)));
}

/** Resolves when the gateway has acted on everything so far, and owes this person nothing for having been asked. */
async function settled(present: Present): Promise<void> {
  await present.settled();
  const beacon = scene.beacon(present.person);
  present.acknowledge(beacon, beacon.lastSeq);
  await present.client.roundTrip();
}

/** Nudges, and answers for the cursors that are written then. @returns where the group's cursor stands */
async function flushed({ person }: Present, group: StoredGroup): Promise<number | undefined> {
  const written = scene.nextCursors(person);
  await scene.puppet.publish.nudge(person.userId);
  const asked = await written;
  await asked.succeed({});
  return asked.params.cursors.find(({ group_id }) => group_id === group.id)?.delivered_seq;
}

/** Nudges, and answers what is read first: where the person stands in which groups. */
async function nudge({ person }: Present, ...standings: [StoredGroup, Standing][]): Promise<void> {
  const token = await scene.puppet.publish.nudge(person.userId);
  await scene.puppet.confirmed(token);
  const read = await scene.nextRead(person);
  expect(read.params.group_ids).toEqual(standings.map(([group]) => group.id));
  await read.succeed({ memberships: standings.map(([group, standing]) => group.membership(standing)) });
}

/** Somebody in a group, who was sent so many messages there and has acknowledged none. */
async function sent(count: number, ...others: readonly Person[]) {
  const ada = scene.person();
  const group = scene.group([ada, ...others]);
  const a = await scene.enter(ada, [group]);
  await publish([a], group, count);
  return { ada, a, group };
}

/** Nudges, and stops where the page of what is owed has been read and has not arrived. */
async function beingRead(present: Present, group: StoredGroup) {
  await nudge(present, [group, { delivered_seq: 0 }]);
  const asked = await scene.nextPage(group);
  return { asked, page: group.page(asked.params) };
}

async function answerPage(group: StoredGroup) {
  const asked = await scene.nextPage(group);
  await asked.succeed(group.page(asked.params, asked.params.limit));
  return asked.params;
}

describe('a nudge is confirmed', () => {
  test('to the channel that it names, and not before the core has stored the cursors', async () => {
    const { ada, a, group } = await sent(2);
    a.acknowledge(group, 1, 2);
    await a.client.roundTrip();
    const cursors = scene.nextCursors(ada);
    const token = await scene.puppet.publish.nudge(ada.userId);
    const asked = await cursors;
    expect(asked.params.cursors).toContainEqual({
      user_id: ada.userId,
      group_id: group.id,
      delivered_seq: 2,
      delivered_version: 1,
    });
    await settled(a);
    await a.saidAll();
    expect(await scene.puppet.isConfirmed(token)).toBe(false);
    await asked.succeed({});
    await scene.puppet.confirmed(token);
    expect(scene.puppet.confirmations).toContainEqual({ user_id: ada.userId, token });
  });

  test('and sends nothing when all is acknowledged', async () => {
    const { ada, a, group } = await sent(2);
    a.acknowledge(group, 1, 2);
    await a.client.roundTrip();
    await scene.puppet.confirmed(await scene.puppet.publish.nudge(ada.userId));
    await settled(a);
    await a.saidAll();
    expect(scene.pagesOf(group)).toBe(0);
    expect(a.seqs(group)).toEqual([1, 2]);
  });

  test('by nobody who does not hold the person any more, even if they hear it still', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const [a, b] = [await scene.enter(ada), await scene.enter(bob)];
    scene.wire().hold('subscriber', 'toRedis');
    const signedIn = await measured(scene.system.gateway(0), 'gateway_users');
    await a.client.close();
    expect(await measured(scene.system.gateway(0), 'gateway_users')).toBe(signedIn - 1);
    const token = await scene.puppet.publish.nudge(ada.userId);
    await settled(b);
    await b.saidAll();
    expect(await scene.puppet.isConfirmed(token)).toBe(false);
  });
});

describe('a nudge sends again', () => {
  test('only what is not acknowledged, also of what lies before an acknowledgement', async () => {
    const { a, group } = await sent(5);
    a.acknowledge(group, 1, 3, 5);
    await a.client.roundTrip();
    await nudge(a, [group, { delivered_seq: 1 }]);
    expect(await answerPage(group)).toMatchObject({ after_seq: 1 });
    await a.has(group, 5);
    await settled(a);
    expect(a.seqs(group)).toEqual([...range(1, 5), 2, 4]);
    // What was sent again is acknowledged as it was at first.
    a.acknowledge(group, 2, 4);
    await a.client.roundTrip();
    expect(await flushed(a, group)).toBe(5);
  });

  test('what the client refused: a FAILURE stops nothing', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [[group, { delivered_version: 0 }]]);
    await publish([a], group, 1);
    const refusal = { errors: ['the phone is full'] };
    const { message_id } = group.message(1);
    a.client.send('MESSAGING_DELIVER_FAILURE', refusal, messageDeliveryId(group.id, message_id));
    a.client.send('GROUP_DELIVER_FAILURE', refusal, `g.${group.id}.1`);
    await a.client.roundTrip();
    await nudge(a, [group, { delivered_seq: 0, delivered_version: 0 }]);
    await answerPage(group);
    await a.client.waitFor(() => a.seqs(group).length === 2);
    expect(a.seqs(group)).toEqual([1, 1]);
    expect(a.versions(group)).toEqual([1, 1]);
  });

  test('at most a window of messages, of all groups together, and goes on behind what is acknowledged', async () => {
    const ada = scene.person();
    const [one, two] = [scene.group([ada]), scene.group([ada])];
    const a = await scene.enter(ada, [one, two]);
    await publish([a], one, 6);
    await publish([a], two, 6);
    await nudge(a, [one, { delivered_seq: 0 }], [two, { delivered_seq: 0 }]);
    expect(await answerPage(one)).toMatchObject({ after_seq: 0, limit: windowSize });
    await settled(a);
    await a.saidAll();
    expect(a.seqs(one).slice(6)).toEqual(range(1, 4));
    expect(scene.pagesOf(two)).toBe(0);

    a.acknowledge(one, ...range(1, 5));
    await a.client.roundTrip();
    await nudge(a, [one, { delivered_seq: 5 }], [two, { delivered_seq: 0 }]);
    expect(await answerPage(one)).toMatchObject({ after_seq: 5, limit: windowSize });
    expect(await answerPage(two)).toMatchObject({ after_seq: 0, limit: windowSize - 1 });
    await settled(a);
    expect(a.seqs(one).slice(10)).toEqual([6]);
    expect(a.seqs(two).slice(6)).toEqual(range(1, 3));
  });

  test('the newest state, unless it was acknowledged elsewhere or sent often enough', async () => {
    const ada = scene.person();
    const groups = [scene.group([ada]), scene.group([ada]), scene.group([ada])] as const;
    const [owed, elsewhere, given] = groups;
    const a = await scene.enter(
      ada,
      groups.map((group) => [group, { delivered_version: 0 }] as const),
    );
    await nudge(
      a,
      [owed, { delivered_version: 0 }],
      [elsewhere, { delivered_version: 1 }],
      [given, { delivered_version: 0, retried_version: 1 }],
    );
    await settled(a);
    expect(groups.map((group) => a.versions(group))).toEqual([[1, 1], [1], [1]]);
  });

  test('to every connection of the person', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const [one, two] = [await scene.enter(ada, [group]), await scene.enter(ada, [group])];
    await publish([one, two], group, 1);
    await nudge(one, [group, { delivered_seq: 0 }]);
    await answerPage(group);
    await Promise.all([one, two].map((each) => each.client.waitFor(() => each.seqs(group).length === 2)));
  });
});

describe('25: somebody on two gateways', () => {
  test('is not sent again what the other one wrote, and their cursor goes on behind it here', async () => {
    const { a, group } = await sent(3);
    await nudge(a, [group, { delivered_seq: 2 }]);
    expect(await answerPage(group)).toMatchObject({ after_seq: 2 });
    await a.client.waitFor(() => a.seqs(group).length === 4);
    expect(a.seqs(group)).toEqual([1, 2, 3, 3]);
    a.acknowledge(group, 3);
    await a.client.roundTrip();
    expect(await flushed(a, group)).toBe(3);
  });

  test('who has acknowledged all on the other one is sent nothing again', async () => {
    const { a, group } = await sent(3);
    await nudge(a, [group, { delivered_seq: 3 }]);
    await settled(a);
    await a.saidAll();
    expect(scene.pagesOf(group)).toBe(0);
    expect(a.seqs(group)).toEqual([1, 2, 3]);
  });
});

describe('nothing is sent again', () => {
  test('to who left while it was read', async () => {
    const { ada, a, group } = await sent(2, scene.person());
    const { asked, page } = await beingRead(a, group);
    await scene.puppet.publish.state(group.remove(ada));
    await settled(a);
    await asked.succeed(page);
    await settled(a);
    expect(a.seqs(group)).toEqual([1, 2]);
  });

  test('to who left, as the page itself or the cursors tell', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const [one, two] = [scene.group([ada, bob]), scene.group([ada, bob])];
    const a = await scene.enter(ada, [one, two]);
    await publish([a], one, 1);
    await publish([a], two, 1);
    const token = await scene.puppet.publish.nudge(ada.userId);
    await scene.puppet.confirmed(token);
    const read = await scene.nextRead(ada);
    two.remove(ada);
    // The one who is no member of `two` any more is told of `one` alone.
    await read.succeed({ memberships: [one.membership({ delivered_seq: 0 })] });
    const asked = await scene.nextPage(one);
    one.remove(ada);
    await asked.succeed(one.page(asked.params));
    const askedTwo = await scene.nextPage(two);
    await askedTwo.succeed(two.page(askedTwo.params));
    await settled(a);
    expect([a.seqs(one), a.seqs(two)]).toEqual([[1], [1]]);
  });

  test('of what came before the second joining to who was added again while it was read', async () => {
    const { ada, a, group } = await sent(2, scene.person());
    const { asked, page } = await beingRead(a, group);
    // The state between is lost.
    group.remove(ada);
    await scene.puppet.publish.state(group.add(ada));
    await a.hasState(group, 3);
    await asked.succeed(page);
    await settled(a);
    expect(a.seqs(group)).toEqual([1, 2]);
    await publish([a], group, 1);
    expect(a.seqs(group)).toEqual([1, 2, 3]);
  });

  test('that was acknowledged while it was read', async () => {
    const { a, group } = await sent(3);
    await nudge(a, [group, { delivered_seq: 0 }]);
    const asked = await scene.nextPage(group);
    a.acknowledge(group, 1, 3);
    await a.client.roundTrip();
    await asked.succeed(group.page(asked.params));
    await a.client.waitFor(() => a.seqs(group).length === 4);
    await settled(a);
    expect(a.seqs(group)).toEqual([1, 2, 3, 2]);
  });
});

describe('an eviction', () => {
  test('closes all connections of one who does not acknowledge with 4408, and nobody else', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob]);
    const [one, two] = [await scene.enter(ada, [group]), await scene.enter(ada, [group])];
    const b = await scene.enter(bob, [group]);
    await publish([one, two, b], group, 1);
    const evicted = await measured(scene.system.gateway(0), 'gateway_evicted_total');
    await scene.puppet.publish.evict(ada.userId);
    const { code, reason } = closeReasons.notAcknowledged;
    expect([await one.client.closed, await two.client.closed]).toEqual([
      { code, reason },
      { code, reason },
    ]);
    await b.client.roundTrip();
    expect(await measured(scene.system.gateway(0), 'gateway_evicted_total')).toBe(evicted + 2);
  });

  test('leaves the connection of one who has acknowledged meanwhile', async () => {
    const { ada, a, group } = await sent(1);
    a.acknowledge(group, 1);
    await a.client.roundTrip();
    await scene.puppet.publish.evict(ada.userId);
    await settled(a);
  });

  test('closes for messages also who was never sent them, because their window is full', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 10 });
    const a = await scene.enter(ada, [[group, { delivered_seq: 0 }]]);
    for (let portions = 0; portions < windowSize; portions += 1) await answerPage(group);
    await a.has(group, windowSize);
    await scene.puppet.publish.evict(ada.userId);
    expect(await a.client.closed).toMatchObject({ code: closeReasons.notAcknowledged.code });
  });
});

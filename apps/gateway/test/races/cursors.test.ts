import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, Fixture, metric, type SignedInClient } from '../fixture.ts';
import type { StoredGroup } from '../stored-group.ts';

/** Writes cursors at once. */
const prompt = 0;
/** Writes the first cursor at once and the next ones much later. */
const slow = 1;

let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start({ CURSOR_FLUSH_MS: '1' }, { CURSOR_FLUSH_MS: '60000' });
});

afterAll(() => fixture?.stop());

/** Waits until a cursor with this seq is written. What was acknowledged together may be written in two portions. */
async function writtenUpTo({ user }: SignedInClient, group: StoredGroup, seq: number): Promise<void> {
  const request = await fixture.core.next('CURSOR_RAISE', ({ cursors }) =>
    cursors.some(
      (one) => one.user_id === user.userId && one.group_id === group.id && one.delivered_seq === seq,
    ),
  );
  await request.succeed({});
}

/** The next cursor of a user that is written, and lets the core store it. */
async function nextCursor({ user }: SignedInClient, group: StoredGroup) {
  const request = await fixture.nextCursors(user);
  await request.succeed({});
  const cursor = request.params.cursors.find(({ group_id }) => group_id === group.id);
  return cursor && { seq: cursor.delivered_seq, version: cursor.delivered_version };
}

async function publish(client: SignedInClient, group: StoredGroup, count: number): Promise<void> {
  for (const message of group.storeMany(count)) await fixture.core.publish.message(message);
  await client.has(group, group.lastSeq);
}

describe('an acknowledgement of a group', () => {
  test('counts for the oldest version that was sent on its connection and is not acknowledged', async () => {
    const [ada, bob, cat] = [fixture.user(), fixture.user(), fixture.user()];
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [[group, { delivered_version: 0 }]]);
    await fixture.core.publish.state(group.add(bob));
    await fixture.core.publish.state(group.add(cat));
    await a.hasState(group, 3);
    for (const version of [1, 2, 3]) {
      a.client.send('GROUP_DELIVER_SUCCESS', { group_id: group.id });
      expect(await nextCursor(a, group)).toEqual({ seq: 0, version });
    }
  });

  test('that was not sent marks nothing and is counted', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const foreign = fixture.group([bob]);
    const a = await fixture.connectAs(ada);
    const ignored = 'gateway_acknowledgements_ignored_total';
    const before = await metric(fixture.system.gateway(prompt), ignored);
    a.client.send('GROUP_DELIVER_SUCCESS', { group_id: foreign.id });
    await a.client.roundTrip();
    expect(await metric(fixture.system.gateway(prompt), ignored)).toBe(before + 1);
  });

  test('that refuses it marks nothing, is counted, and does not shift the next one', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [[group, { delivered_version: 0 }]]);
    const refused = 'gateway_deliveries_refused_total';
    const before = await metric(fixture.system.gateway(prompt), refused);
    a.client.send('GROUP_DELIVER_FAILURE', { errors: ['no room'] }, `g.${group.id}.1`);
    a.client.send('GROUP_DELIVER_SUCCESS', { group_id: group.id });
    expect(await nextCursor(a, group)).toEqual({ seq: 0, version: 1 });
    expect(await metric(fixture.system.gateway(prompt), refused)).toBe(before + 1);
  });
});

describe('a cursor', () => {
  test('stands before the first message that is not acknowledged: 1 and 3 make 1, then 2 makes 3', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group]);
    await publish(a, group, 3);
    a.acknowledge(group, 1, 3);
    expect(await nextCursor(a, group)).toMatchObject({ seq: 1 });
    a.acknowledge(group, 2);
    expect(await nextCursor(a, group)).toMatchObject({ seq: 3 });
  });

  test('is raised by an acknowledgement from any connection of its user', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const [one, two] = [await fixture.connectAs(ada, [group]), await fixture.connectAs(ada, [group])];
    await publish(one, group, 2);
    await two.has(group, 2);
    two.acknowledge(group, 1);
    expect(await nextCursor(two, group)).toMatchObject({ seq: 1 });
    one.acknowledge(group, 1, 2);
    expect(await nextCursor(one, group)).toMatchObject({ seq: 2 });
  });

  test('is written at once when the connection closes', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group], slow);
    await publish(a, group, 2);
    a.acknowledge(group, 1);
    expect(await nextCursor(a, group)).toMatchObject({ seq: 1 });
    a.acknowledge(group, 2);
    await a.client.roundTrip();
    const written = nextCursor(a, group);
    await a.client.close();
    expect(await written).toMatchObject({ seq: 2 });
  });

  test('is written at once when the connection breaks', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group], slow);
    await publish(a, group, 1);
    a.acknowledge(group, 1);
    await a.client.roundTrip();
    const written = nextCursor(a, group);
    a.client.terminate();
    expect(await written).toMatchObject({ seq: 1 });
  });

  test('that the core did not store is written again', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group]);
    await publish(a, group, 1);
    a.acknowledge(group, 1);
    await (await fixture.nextCursors(ada)).refuse('server busy');
    expect(await nextCursor(a, group)).toMatchObject({ seq: 1 });
  });

  test('starts from what is stored: another gateway got the acknowledgements before it', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 3 });
    const first = await fixture.connectAs(ada, [[group, { delivered_seq: 0 }]]);
    const page = await fixture.nextPage(group);
    await page.succeed(group.page(page.params));
    await first.has(group, 3);
    // This one never acknowledges; elsewhere all three were.
    const second = await fixture.connectAs(ada, [[group, { delivered_seq: 3 }]]);
    await publish(second, group, 1);
    second.acknowledge(group, 4);
    expect(await nextCursor(second, group)).toMatchObject({ seq: 4 });
  });

  test('never counts what another user acknowledges, nor what was stored before its own user joined', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada], { lastSeq: 3 });
    const state = group.add(bob);
    const [a, b] = [
      await fixture.connectAs(ada, [group]),
      await fixture.connectAs(bob, [[group, { delivered_seq: 0 }]]),
    ];
    expect(state.members.find(([userId]) => userId === bob.userId)?.[2]).toBe(3);
    await publish(b, group, 2);
    await a.has(group, 5);
    a.acknowledge(group, 4, 5);
    await writtenUpTo(a, group, 5);
    b.acknowledge(group, 5);
    await b.client.roundTrip();
    b.acknowledge(group, 4);
    expect(await nextCursor(b, group)).toMatchObject({ seq: 5 });
    expect(b.seqs(group)).toEqual([4, 5]);
  });
});

describe('an acknowledgement of a message that this gateway does not know', () => {
  test('is looked up by the core, and raises the cursor if the message is one of the user', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 1 });
    const a = await fixture.connectAs(ada, [[group, { delivered_seq: 0 }]]);
    const page = await fixture.nextPage(group);
    const [{ message_id }] = [group.message(1)];
    a.acknowledge(group, 1);
    const request = await fixture.core.next('MESSAGE_LOOKUP', ({ user_id }) => user_id === ada.userId);
    expect(request.params.message_ids).toEqual([message_id]);
    await request.succeed({ found: [[message_id, group.id, 1]] });
    expect(await nextCursor(a, group)).toMatchObject({ seq: 1 });
    await page.succeed(group.page(page.params));
    await a.settled();
  });

  test('is ignored and counted if the core does not find it among the groups of the user', async () => {
    const ada = fixture.user();
    const a = await fixture.connectAs(ada);
    const ignored = 'gateway_acknowledgements_ignored_total';
    const before = await metric(fixture.system.gateway(prompt), ignored);
    a.client.send('MESSAGING_DELIVER_SUCCESS', { message_id: 4_711 });
    const request = await fixture.core.next('MESSAGE_LOOKUP', ({ user_id }) => user_id === ada.userId);
    await request.succeed({ found: [] });
    await eventually(
      async () => (await metric(fixture.system.gateway(prompt), ignored)) >= before + 1,
      'the acknowledgement is counted',
    );
  });
});

import type { GroupState } from '@hooligram/contract';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, Fixture } from '../fixture.ts';
import type { TestUser } from '../stored-group.ts';

let fixture: Fixture;

beforeAll(async () => {
  // Gaps are waited out, so that nothing is fetched unless a test means it.
  fixture = await Fixture.start({ GAP_WAIT_MS: '60000' });
});

// A test that failed half way leaves nothing to the next one.
afterEach(() => {
  for (const proxy of fixture.redisProxies) proxy.reset();
});

afterAll(() => fixture?.stop());

/** How often a user's groups were read. */
function readsOf({ userId }: TestUser): number {
  return fixture.core.received.filter(
    ({ type, params }) => type === 'REPLAY_GROUPS' && 'user_id' in params && params.user_id === userId,
  ).length;
}

describe('a user who left', () => {
  test('never gets a message that was stored afterwards and arrives before the new state', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    const [a, b] = [await fixture.connectAs(ada, [group]), await fixture.connectAs(bob, [group])];
    const without = group.remove(bob);
    const message = group.store();
    await fixture.core.publish.message(message);
    await b.settled();
    expect(b.seqs(group)).toEqual([]);
    expect(a.seqs(group)).toEqual([]);
    await fixture.core.publish.state(without);
    await a.has(group, 1);
    await b.settled();
    expect(a.versions(group)).toEqual([1, 2]);
    expect(b.seqs(group)).toEqual([]);
    expect(b.versions(group)).toEqual([1]);
  });

  test('is not brought back by an older state that names them and arrives late', async () => {
    const [ada, bob, cat] = [fixture.user(), fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    const [a, b] = [await fixture.connectAs(ada, [group]), await fixture.connectAs(bob, [group])];
    const older = group.add(cat);
    const newer = group.remove(bob);
    const message = group.store();
    await fixture.core.publish.state(newer);
    await fixture.core.publish.state(older);
    await fixture.core.publish.stateTo(bob.userId, older);
    // Bob's own channel is received even now, so the gateway reads, and the core answers without the group.
    await (await fixture.nextRead(bob)).succeed({ memberships: [] });
    await fixture.core.publish.message(message);
    await a.has(group, 1);
    await b.settled();
    expect(a.versions(group)).toEqual([1, 3]);
    expect(b.versions(group)).toEqual([1]);
    expect(b.seqs(group)).toEqual([]);
  });

  test('gets nothing of a page that was read while they were a member and arrives after they left', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob], { lastSeq: 3 });
    const a = await fixture.connectAs(ada, [group]);
    const b = await fixture.connectAs(bob, [[group, { delivered_seq: 0 }]]);
    const request = await fixture.nextPage(group);
    const page = group.page(request.params);
    await fixture.core.publish.state(group.remove(bob));
    await a.hasState(group, 2);
    await request.succeed(page);
    await b.settled();
    expect(b.seqs(group)).toEqual([]);
    expect(b.versions(group)).toEqual([1]);
  });

  test('gets nothing of a page whose version needs the state that takes them out', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob], { lastSeq: 3 });
    const b = await fixture.connectAs(bob, [[group, { delivered_seq: 0 }]]);
    const request = await fixture.nextPage(group);
    group.remove(bob);
    await request.succeed(group.page(request.params));
    await eventually(async () => (await fixture.listenersOf(group)) === 0, 'the gateway has left the group');
    await b.settled();
    expect(b.seqs(group)).toEqual([]);
    expect(b.versions(group)).toEqual([1]);
  });

  test('gets nothing of the group when they left between the read and its arrival', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob], { lastSeq: 3 });
    const client = await fixture.connect();
    const sentinel = fixture.sentinel(bob);
    const request = await fixture.beginSignIn(client, bob, [group, sentinel]);
    const before = fixture.snapshots(group, sentinel);
    await fixture.core.publish.state(group.remove(bob));
    await request.succeed(before);
    // What was read is older than what was published, so it is read again.
    const again = await fixture.nextRead(bob);
    expect(again.params.group_ids).toEqual([group.id]);
    await again.succeed({ memberships: [] });
    const b = fixture.asUser(client, bob);
    await b.settled();
    expect(b.versions(group)).toEqual([]);
    expect(b.seqs(group)).toEqual([]);
  });

  test('gets nothing behind the SUCCESS of their LEAVE, on none of their connections', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    const a = await fixture.connectAs(ada, [group]);
    const [b, b2] = [await fixture.connectAs(bob, [group]), await fixture.connectAs(bob, [group])];
    const early = group.store();
    const state = group.remove(bob);
    const late = group.store();
    b.client.send('GROUP_LEAVE_REQUEST', { group_id: group.id });
    const leaving = await fixture.core.next('GROUP_LEAVE');
    // Only the answer brings the change: what is published still belongs to the version before.
    await leaving.succeed({ state });
    await b.client.next('GROUP_LEAVE_SUCCESS');
    await fixture.core.publish.message(early);
    await fixture.core.publish.state(state);
    await fixture.core.publish.message(late);
    await a.has(group, 2);
    for (const left of [b, b2]) {
      await left.settled();
      expect(left.seqs(group)).toEqual([]);
      expect(left.versions(group)).toEqual([1]);
    }
    expect(a.seqs(group)).toEqual([1, 2]);
    expect(a.versions(group)).toEqual([1, 2]);
  });
});

describe('a user who joined', () => {
  test('never gets a message that was stored before, even if it arrives later', async () => {
    const [ada, cat] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada]);
    const [a, c] = [await fixture.connectAs(ada, [group]), await fixture.connectAs(cat)];
    const before = group.store();
    const state = group.add(cat);
    await fixture.core.publish.state(state);
    await fixture.core.publish.stateTo(cat.userId, state);
    await (await fixture.nextRead(cat)).succeed(fixture.snapshots(group));
    await c.hasState(group, 2);
    await fixture.core.publish.message(before);
    const after = group.store();
    await fixture.core.publish.message(after);
    await Promise.all([a.has(group, 2), c.has(group, 2)]);
    expect(a.seqs(group)).toEqual([1, 2]);
    expect(c.seqs(group)).toEqual([2]);
  });

  test('again gets only what was stored since the second joining, although the feed is far behind', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob], { lastSeq: 15 });
    const [a, b] = [await fixture.connectAs(ada, [group]), await fixture.connectAs(bob, [group])];
    const between = group.storeMany(5);
    group.remove(bob);
    between.push(...group.storeMany(10));
    // Of leaving and joining, only the second is published.
    await fixture.core.publish.state(group.add(bob));
    expect(group.state().members.find(([userId]) => userId === bob.userId)?.[2]).toBe(30);
    for (const message of between) await fixture.core.publish.message(message);
    const after = group.store();
    await fixture.core.publish.message(after);
    await Promise.all([a.has(group, 31), b.has(group, 31)]);
    expect(a.seqs(group)).toEqual([...between.map(({ seq }) => seq), 31]);
    expect(b.seqs(group)).toEqual([31]);
    expect(b.versions(group)).toEqual([1, 3]);
    b.acknowledge(group, 31);
    const raised = await fixture.nextCursors(bob);
    expect(raised.params.cursors).toEqual([
      expect.objectContaining({ group_id: group.id, delivered_seq: 31 }),
    ]);
    await raised.succeed({});
  });

  test('again in the middle of their replay gets only what was stored since the second joining', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob], { lastSeq: 4 });
    const a = await fixture.connectAs(ada, [group]);
    const b = await fixture.connectAs(bob, [[group, { delivered_seq: 0 }]]);
    const request = await fixture.nextPage(group);
    const page = group.page(request.params);
    group.remove(bob);
    group.store();
    await fixture.core.publish.state(group.add(bob));
    await fixture.core.publish.message(group.message(5));
    await a.has(group, 5);
    await request.succeed(page);
    const after = group.store();
    await fixture.core.publish.message(after);
    await b.has(group, 6);
    expect(b.seqs(group)).toEqual([6]);
  });
});

describe('a state', () => {
  test('applies although earlier ones were missed, because it is complete', async () => {
    const [ada, bob, cat] = [fixture.user(), fixture.user(), fixture.user()];
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group]);
    group.add(bob);
    group.add(cat);
    const state = group.remove(bob);
    const message = group.store();
    await fixture.core.publish.state(state);
    await fixture.core.publish.message(message);
    await a.has(group, 1);
    expect(a.versions(group)).toEqual([1, 4]);
    const told = a.client.received('GROUP_DELIVER_REQUEST').at(-1);
    expect(told?.payload.member_sids).toEqual([ada.sid, cat.sid].sort());
  });

  test('holds back a message that was stored under it until it is here', async () => {
    const [ada, cat] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group]);
    const state = group.add(cat);
    const message = group.store();
    await fixture.core.publish.message(message);
    await a.settled();
    expect(a.seqs(group)).toEqual([]);
    await fixture.core.publish.state(state);
    await a.has(group, 1);
    const order = a.client.frames
      .filter(({ payload }) => payload.group_id === group.id)
      .map(({ type }) => type);
    expect(order).toEqual(['GROUP_DELIVER_REQUEST', 'GROUP_DELIVER_REQUEST', 'MESSAGING_DELIVER_REQUEST']);
  });

  test('holds back a message that was stored under it, also when the gap before that message closes first', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    const [a, b] = [await fixture.connectAs(ada, [group]), await fixture.connectAs(bob, [group])];
    const before = group.store();
    const without = group.remove(bob);
    await fixture.core.publish.message(group.store());
    await fixture.core.publish.message(before);
    await Promise.all([a.settled(), b.settled()]);
    expect([a.seqs(group), b.seqs(group)]).toEqual([[1], [1]]);
    await fixture.core.publish.state(without);
    await a.has(group, 2);
    await b.settled();
    expect(b.seqs(group)).toEqual([1]);
  });

  test('that overtakes the read of a new member is the one that is sent, and the only one', async () => {
    const [ada, bob, cat] = [fixture.user(), fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    const sentinel = fixture.sentinel(bob);
    const client = await fixture.connect();
    const request = await fixture.beginSignIn(client, bob, [group, sentinel]);
    const before = fixture.snapshots(group, sentinel);
    await fixture.core.publish.state(group.add(cat));
    await request.succeed(before);
    const b = fixture.asUser(client, bob);
    await b.hasState(group, 2);
    const message = group.store();
    await fixture.core.publish.message(message);
    await b.has(group, 1);
    expect(b.versions(group)).toEqual([2]);
    // It names them, so there was nothing to read again: a group may change as fast as it likes.
    await b.sentAll();
    expect(readsOf(bob)).toBe(1);
  });

  test('that overtakes the read is sent also to a user who had acknowledged all of a closed group', async () => {
    const [ada, bob, cat] = [fixture.user(), fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob, cat]);
    const sentinel = fixture.sentinel(bob);
    const client = await fixture.connect();
    const request = await fixture.beginSignIn(client, bob, [group, sentinel]);
    const closed = (state: GroupState) => ({ ...state, closed: true });
    const before = { ...group.membership(), state: closed(group.state()) };
    await fixture.core.publish.state(closed(group.remove(cat)));
    await request.succeed({ memberships: [before, sentinel.membership()] });
    const b = fixture.asUser(client, bob);
    await b.settled();
    expect(b.versions(group)).toEqual([2]);
    expect(readsOf(bob)).toBe(1);
  });

  test('that overtakes the read and belongs to a second joining keeps everything older from being sent', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob], { lastSeq: 3 });
    const sentinel = fixture.sentinel(bob);
    const client = await fixture.connect();
    const request = await fixture.beginSignIn(client, bob, [group, sentinel]);
    const before = [group.membership({ delivered_seq: 1, delivered_version: 0 }), sentinel.membership()];
    group.remove(bob);
    const between = group.storeMany(2);
    await fixture.core.publish.state(group.add(bob));
    for (const message of between) await fixture.core.publish.message(message);
    await request.succeed({ memberships: before });
    const b = fixture.asUser(client, bob);
    await b.hasState(group, 3);
    await fixture.core.publish.message(group.store());
    await b.has(group, 6);
    expect(b.seqs(group)).toEqual([6]);
    expect(b.versions(group)).toEqual([3]);
    b.acknowledge(group, 6);
    const raised = await fixture.core.next('CURSOR_RAISE', ({ cursors }) =>
      cursors.some(({ group_id, delivered_seq }) => group_id === group.id && delivered_seq === 6),
    );
    await raised.succeed({});
    expect(readsOf(bob)).toBe(1);
  });

  test('that overtakes the read leaves what was missed before it to the replay', async () => {
    const [ada, bob, cat] = [fixture.user(), fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob], { lastSeq: 2 });
    const sentinel = fixture.sentinel(bob);
    const client = await fixture.connect();
    const request = await fixture.beginSignIn(client, bob, [group, sentinel]);
    const before = [group.membership({ delivered_seq: 1 }), sentinel.membership()];
    const under = group.store();
    await fixture.core.publish.message(under);
    await fixture.core.publish.state(group.add(cat));
    await request.succeed({ memberships: before });
    const page = await fixture.nextPage(group);
    expect(page.params).toMatchObject({ after_seq: 1 });
    await page.succeed(group.page(page.params));
    const b = fixture.asUser(client, bob);
    await b.has(group, 3);
    await fixture.core.publish.message(group.store());
    await b.has(group, 4);
    expect(b.seqs(group)).toEqual([2, 3, 4]);
    expect(b.versions(group)).toEqual([2]);
    expect(readsOf(bob)).toBe(1);
  });
});

describe('the last group of a connection', () => {
  test('a message published in the tick of the removal reaches the members of before, and nothing behind it does', async () => {
    const [ada, bob, cat] = [fixture.user(), fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    const client = await fixture.connect();
    await (await fixture.beginSignIn(client, bob, [group])).succeed(fixture.snapshots(group));
    const b = fixture.asUser(client, bob);
    await b.hasState(group, 1);
    const a = await fixture.connectAs(ada, [group]);

    fixture.redisProxy().hold('subscriber', 'toGateway');
    const last = group.store();
    const state = group.remove(bob);
    const foreign = group.store();
    await fixture.core.publish.message(last);
    await fixture.core.publish.state(state);
    await fixture.core.publish.message(foreign);
    await fixture.redisProxy().untilHeld('subscriber', foreign.frame);
    fixture.redisProxy().release('subscriber', 'toGateway');

    await Promise.all([a.has(group, 2), b.has(group, 1)]);
    // In no group at all, the connection still gets word of new ones.
    const next = fixture.group([bob, cat]);
    await fixture.core.publish.stateTo(bob.userId, next.state());
    await (await fixture.nextRead(bob)).succeed(fixture.snapshots(next));
    await b.hasState(next, 1);
    await fixture.core.publish.message(next.store());
    await b.has(next, 1);
    expect(b.seqs(group)).toEqual([1]);
    expect(b.versions(group)).toEqual([1]);
    expect(a.seqs(group)).toEqual([1, 2]);
  });
});

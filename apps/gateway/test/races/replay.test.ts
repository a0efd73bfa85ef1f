import { closeReasons } from '@hooligram/protocol';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Fixture, range } from '../fixture.ts';

let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start({ GAP_WAIT_MS: '60000' });
});

afterAll(() => fixture?.stop());

describe('a sign-in', () => {
  test('sends all states before any message, and the oldest message first', async () => {
    const ada = fixture.user();
    const [one, two] = [fixture.group([ada], { lastSeq: 3 }), fixture.group([ada], { lastSeq: 2 })];
    const client = await fixture.connect();
    const request = await fixture.beginSignIn(client, ada, [one, two]);
    await request.succeed({ memberships: [one, two].map((group) => group.membership({ delivered_seq: 0 })) });
    for (const group of [one, two]) {
      const page = await fixture.nextPage(group);
      await page.succeed(group.page(page.params));
    }
    const a = fixture.asUser(client, ada);
    await Promise.all([a.has(one, 3), a.has(two, 2)]);
    expect(client.frames.slice(0, 3).map(({ type }) => type)).toEqual([
      'AUTHORIZATION_SIGN_IN_SUCCESS',
      'GROUP_DELIVER_REQUEST',
      'GROUP_DELIVER_REQUEST',
    ]);
    expect(a.seqs(one)).toEqual([1, 2, 3]);
    expect(a.seqs(two)).toEqual([1, 2]);
  });

  test('continues behind what the user has acknowledged', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 5 });
    const a = await fixture.connectAs(ada, [[group, { delivered_seq: 3 }]]);
    const page = await fixture.nextPage(group);
    expect(page.params.after_seq).toBe(3);
    await page.succeed(group.page(page.params));
    await a.has(group, 5);
    expect(a.seqs(group)).toEqual([4, 5]);
  });

  test('joins live exactly: what is published between pages arrives once and in its place', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 6 });
    const a = await fixture.connectAs(ada, [[group, { delivered_seq: 0 }]]);
    const first = await fixture.nextPage(group);
    const firstPage = group.page(first.params, 3);
    await fixture.core.publish.message(group.store());
    await first.succeed(firstPage);
    const second = await fixture.nextPage(group);
    expect(second.params.after_seq).toBe(3);
    const secondPage = group.page(second.params, 3);
    await fixture.core.publish.message(group.store());
    await second.succeed(secondPage);
    // 7 and 8 were passed on here meanwhile: they need no page.
    await a.has(group, 8);
    await fixture.core.publish.message(group.store());
    await a.has(group, 9);
    expect(a.seqs(group)).toEqual(range(1, 9));
  });

  test('catches up with a group that is busy during every page', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob], { lastSeq: 40 });
    const b = await fixture.connectAs(bob, [group]);
    const a = await fixture.connectAs(ada, [[group, { delivered_seq: 0 }]]);
    for (let page = 0; page < 4; page += 1) {
      const request = await fixture.nextPage(group);
      const answer = group.page(request.params, 10);
      for (const message of group.storeMany(5)) await fixture.core.publish.message(message);
      await request.succeed(answer);
      for (const message of group.storeMany(5)) await fixture.core.publish.message(message);
    }
    const { lastSeq } = group;
    await Promise.all([a.has(group, lastSeq), b.has(group, lastSeq)]);
    expect(a.seqs(group)).toEqual(range(1, lastSeq));
    expect(b.seqs(group)).toEqual(range(41, lastSeq));
  });

  test('fetches a further page when more was published meanwhile than is kept', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 1 });
    const a = await fixture.connectAs(ada, [[group, { delivered_seq: 0 }]]);
    const first = await fixture.nextPage(group);
    const page = group.page(first.params);
    await Promise.all(group.storeMany(1_500).map((message) => fixture.core.publish.message(message)));
    await a.settled();
    await first.succeed(page);
    const second = await fixture.nextPage(group);
    expect(second.params.after_seq).toBe(1);
    await second.succeed(group.page(second.params));
    await a.has(group, 1_501);
    expect(a.seqs(group)).toEqual(range(1, 1_501));
  });

  test('goes on when the state changes in the middle of the replay, and sends the new state', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada], { lastSeq: 2 });
    const a = await fixture.connectAs(ada, [[group, { delivered_seq: 0 }]]);
    const request = await fixture.nextPage(group);
    const page = group.page(request.params);
    await fixture.core.publish.state(group.add(bob));
    await fixture.core.publish.message(group.store());
    await a.hasState(group, 2);
    await request.succeed(page);
    await a.has(group, 3);
    expect(a.seqs(group)).toEqual([1, 2, 3]);
    expect(a.versions(group)).toEqual([1, 2]);
  });

  test('sends and replays a group that other connections here are in like any other', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob], { lastSeq: 2 });
    const a = await fixture.connectAs(ada, [group]);
    const b = await fixture.connectAs(bob, [[group, { delivered_seq: 1 }]]);
    const page = await fixture.nextPage(group);
    await page.succeed(group.page(page.params));
    await b.has(group, 2);
    await fixture.core.publish.message(group.store());
    await Promise.all([a.has(group, 3), b.has(group, 3)]);
    expect(a.seqs(group)).toEqual([3]);
    expect(b.seqs(group)).toEqual([2, 3]);
  });

  test('on a second connection replays there alone', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 2 });
    const first = await fixture.connectAs(ada, [group]);
    const second = await fixture.connectAs(ada, [[group, { delivered_seq: 2 }]]);
    await fixture.core.publish.message(group.store());
    await Promise.all([first.has(group, 3), second.has(group, 3)]);
    const third = await fixture.connectAs(ada, [[group, { delivered_seq: 2 }]]);
    const page = await fixture.nextPage(group);
    await page.succeed(group.page(page.params));
    await third.has(group, 3);
    await fixture.core.publish.message(group.store());
    await Promise.all([first.has(group, 4), second.has(group, 4), third.has(group, 4)]);
    for (const connection of [first, second, third]) expect(connection.seqs(group)).toEqual([3, 4]);
  });

  test('as the same user once more replays again, whether other connections are in the group or not', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const [alone, shared] = [fixture.group([ada]), fixture.group([ada, bob])];
    const b = await fixture.connectAs(bob, [shared]);
    const a = await fixture.connectAs(ada, [alone, shared]);
    for (const group of [alone, shared]) await fixture.core.publish.message(group.store());
    await Promise.all([a.has(alone, 1), a.has(shared, 1)]);
    const unread = { delivered_seq: 0 };
    await fixture.signIn(a.client, ada, [
      [alone, unread],
      [shared, unread],
    ]);
    for (const group of [alone, shared]) {
      const page = await fixture.nextPage(group);
      await page.succeed(group.page(page.params));
      await fixture.core.publish.message(group.store());
      await a.has(group, 2);
      expect(a.seqs(group)).toEqual([1, 1, 2]);
      expect(a.versions(group)).toEqual([1, 1]);
    }
    await b.has(shared, 2);
    expect(b.seqs(shared)).toEqual([1, 2]);
  });

  test('that is still reading gets word of a new group, and sends its state once', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const sentinel = fixture.sentinel(ada);
    const client = await fixture.connect();
    const all = await fixture.beginSignIn(client, ada, [sentinel]);
    const group = fixture.group([ada, bob]);
    await fixture.core.publish.stateTo(ada.userId, group.state());
    const one = await fixture.nextRead(ada);
    expect([all.params.group_ids, one.params.group_ids]).toEqual([[sentinel.id], [group.id]]);
    await all.succeed(fixture.snapshots(sentinel));
    await one.succeed(fixture.snapshots(group));
    const a = fixture.asUser(client, ada);
    await a.settled();
    expect(a.versions(group)).toEqual([1]);
    await fixture.core.publish.message(group.store());
    await a.has(group, 1);
  });

  test('finds a group to which its user was added meanwhile, subscribes to it, and sends its state once', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const sentinel = fixture.sentinel(ada);
    const client = await fixture.connect();
    const all = await fixture.beginSignIn(client, ada, [sentinel]);
    const group = fixture.group([bob], { lastSeq: 2 });
    group.add(ada);
    const looking = fixture.core.next('GROUP_IDS', ({ user_ids }) => user_ids.includes(ada.userId));
    await all.succeed(fixture.snapshots(sentinel));
    await (await looking).succeed({ group_ids: [[sentinel.id, group.id]] });
    const again = await fixture.nextRead(ada);
    expect(again.params.group_ids).toEqual([group.id]);
    expect(await fixture.listenersOf(group)).toBe(1);
    await again.succeed(fixture.snapshots(group));
    const a = fixture.asUser(client, ada);
    await a.hasState(group, 2);
    await fixture.core.publish.message(group.store());
    await a.has(group, 3);
    expect(a.versions(group)).toEqual([2]);
    expect(a.seqs(group)).toEqual([3]);
  });

  test('finds such a group in its first read, and asks for nothing else where that names all groups', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const sentinel = fixture.sentinel(ada);
    const client = await fixture.connect();
    const first = await fixture.beginSignIn(client, ada, [sentinel]);
    expect(first.params.is_sign_in).toBe(true);
    const group = fixture.group([bob], { lastSeq: 2 });
    group.add(ada);
    const all_group_ids = [sentinel.id, group.id];
    await first.succeed({ ...fixture.snapshots(sentinel), all_group_ids, credential_version: 0 });
    const second = await fixture.nextRead(ada);
    expect(second.params).toEqual({ user_id: ada.userId, group_ids: [group.id] });
    await second.succeed(fixture.snapshots(group));
    await client.request('CONN_KEEP_ALIVE', { after_groups: true });
    expect(fixture.asUser(client, ada).versions(group)).toEqual([2]);
    const asked = fixture.core.received.filter(
      ({ type, params }) =>
        type === 'GROUP_IDS' && 'user_ids' in params && params.user_ids.includes(ada.userId),
    );
    expect(asked).toEqual([]);
  });

  test('ends if its first read tells of a newer credential', async () => {
    const ada = fixture.user();
    const sentinel = fixture.sentinel(ada);
    const client = await fixture.connect();
    const request = await fixture.requestSignIn(client, ada);
    const { userId: user_id, sid } = ada;
    await request.succeed({ user_id, sid, group_ids: [sentinel.id], credential_version: 3 });
    const first = await fixture.nextRead(ada);
    await first.succeed({
      ...fixture.snapshots(sentinel),
      all_group_ids: [sentinel.id],
      credential_version: 4,
    });
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  test('is sent what another connection of the user acknowledges while it is still reading', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 2 });
    const client = await fixture.connect();
    const request = await fixture.requestSignIn(client, ada);
    await request.succeed({
      user_id: ada.userId,
      sid: ada.sid,
      group_ids: [group.id],
      delivered_seqs: [2],
    });
    const reading = await fixture.nextRead(ada);
    // Stored, delivered elsewhere and acknowledged there: this connection was signed in already.
    group.store();
    await reading.succeed(fixture.snapshots(group));
    const page = await fixture.nextPage(group);
    expect(page.params.after_seq).toBe(2);
    await page.succeed(group.page(page.params));
    const a = fixture.asUser(client, ada);
    await a.has(group, 3);
    expect(a.seqs(group)).toEqual([3]);
  });

  test('that the core cannot read for ends with 1013, so that the client starts clean', async () => {
    const ada = fixture.user();
    const client = await fixture.connect();
    await (await fixture.beginEmptySignIn(client, ada)).refuse('server busy');
    const { code, reason } = closeReasons.outcomeUnknown;
    expect(await client.closed).toEqual({ code, reason });
  });
});

import { closeReasons } from '@hooligram/protocol';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { range, Scene } from '../scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start({ GAP_WAIT_MS: '60000' });
});

afterAll(() => scene?.stop());

describe('a sign-in', () => {
  test('tells all states before any message, and the oldest message first', async () => {
    const ada = scene.person();
    const [one, two] = [scene.group([ada], { lastSeq: 3 }), scene.group([ada], { lastSeq: 2 })];
    const client = await scene.connect();
    const asked = await scene.beginSignIn(client, ada, [one, two]);
    await asked.succeed({ memberships: [one, two].map((group) => group.membership({ delivered_seq: 0 })) });
    for (const group of [one, two]) {
      const page = await scene.nextPage(group);
      await page.succeed(group.page(page.params));
    }
    const a = scene.present(client, ada);
    await Promise.all([a.has(one, 3), a.has(two, 2)]);
    expect(client.frames.slice(0, 3).map(({ type }) => type)).toEqual([
      'AUTHORIZATION_SIGN_IN_SUCCESS',
      'GROUP_DELIVER_REQUEST',
      'GROUP_DELIVER_REQUEST',
    ]);
    expect(a.seqs(one)).toEqual([1, 2, 3]);
    expect(a.seqs(two)).toEqual([1, 2]);
  });

  test('continues behind what the person has acknowledged', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 5 });
    const a = await scene.enter(ada, [[group, { delivered_seq: 3 }]]);
    const page = await scene.nextPage(group);
    expect(page.params.after_seq).toBe(3);
    await page.succeed(group.page(page.params));
    await a.has(group, 5);
    expect(a.seqs(group)).toEqual([4, 5]);
  });

  test('joins live exactly: what is published between pages arrives once and in its place', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 6 });
    const a = await scene.enter(ada, [[group, { delivered_seq: 0 }]]);
    const first = await scene.nextPage(group);
    const firstPage = group.page(first.params, 3);
    await scene.puppet.publish.message(group.store());
    await first.succeed(firstPage);
    const second = await scene.nextPage(group);
    expect(second.params.after_seq).toBe(3);
    const secondPage = group.page(second.params, 3);
    await scene.puppet.publish.message(group.store());
    await second.succeed(secondPage);
    // 7 and 8 were passed on here meanwhile: they need no page.
    await a.has(group, 8);
    await scene.puppet.publish.message(group.store());
    await a.has(group, 9);
    expect(a.seqs(group)).toEqual(range(1, 9));
  });

  test('catches up with a group that is busy during every page', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob], { lastSeq: 40 });
    const b = await scene.enter(bob, [group]);
    const a = await scene.enter(ada, [[group, { delivered_seq: 0 }]]);
    for (let page = 0; page < 4; page += 1) {
      const asked = await scene.nextPage(group);
      const answer = group.page(asked.params, 10);
      for (const message of group.storeMany(5)) await scene.puppet.publish.message(message);
      await asked.succeed(answer);
      for (const message of group.storeMany(5)) await scene.puppet.publish.message(message);
    }
    const { lastSeq } = group;
    await Promise.all([a.has(group, lastSeq), b.has(group, lastSeq)]);
    expect(a.seqs(group)).toEqual(range(1, lastSeq));
    expect(b.seqs(group)).toEqual(range(41, lastSeq));
  });

  test('fetches a further page when more was passed on meanwhile than is kept', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 1 });
    const a = await scene.enter(ada, [[group, { delivered_seq: 0 }]]);
    const first = await scene.nextPage(group);
    const page = group.page(first.params);
    await Promise.all(group.storeMany(1_500).map((message) => scene.puppet.publish.message(message)));
    await a.settled();
    await first.succeed(page);
    const second = await scene.nextPage(group);
    expect(second.params.after_seq).toBe(1);
    await second.succeed(group.page(second.params));
    await a.has(group, 1_501);
    expect(a.seqs(group)).toEqual(range(1, 1_501));
  });

  test('with a state that changes in the middle of the replay goes on and tells the change', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada], { lastSeq: 2 });
    const a = await scene.enter(ada, [[group, { delivered_seq: 0 }]]);
    const asked = await scene.nextPage(group);
    const page = group.page(asked.params);
    await scene.puppet.publish.state(group.add(bob));
    await scene.puppet.publish.message(group.store());
    await a.hasState(group, 2);
    await asked.succeed(page);
    await a.has(group, 3);
    expect(a.seqs(group)).toEqual([1, 2, 3]);
    expect(a.versions(group)).toEqual([1, 2]);
  });

  test('of a person into a group that others hold here tells and replays it like any other', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob], { lastSeq: 2 });
    const a = await scene.enter(ada, [group]);
    const b = await scene.enter(bob, [[group, { delivered_seq: 1 }]]);
    const page = await scene.nextPage(group);
    await page.succeed(group.page(page.params));
    await b.has(group, 2);
    await scene.puppet.publish.message(group.store());
    await Promise.all([a.has(group, 3), b.has(group, 3)]);
    expect(a.seqs(group)).toEqual([3]);
    expect(b.seqs(group)).toEqual([2, 3]);
  });

  test('on a second connection replays there alone', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 2 });
    const first = await scene.enter(ada, [group]);
    const second = await scene.enter(ada, [[group, { delivered_seq: 2 }]]);
    await scene.puppet.publish.message(group.store());
    await Promise.all([first.has(group, 3), second.has(group, 3)]);
    const third = await scene.enter(ada, [[group, { delivered_seq: 2 }]]);
    const page = await scene.nextPage(group);
    await page.succeed(group.page(page.params));
    await third.has(group, 3);
    await scene.puppet.publish.message(group.store());
    await Promise.all([first.has(group, 4), second.has(group, 4), third.has(group, 4)]);
    for (const connection of [first, second, third]) expect(connection.seqs(group)).toEqual([3, 4]);
  });

  test('as the same person once more replays again, whether others hold the group or not', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const [alone, shared] = [scene.group([ada]), scene.group([ada, bob])];
    const b = await scene.enter(bob, [shared]);
    const a = await scene.enter(ada, [alone, shared]);
    for (const group of [alone, shared]) await scene.puppet.publish.message(group.store());
    await Promise.all([a.has(alone, 1), a.has(shared, 1)]);
    const unread = { delivered_seq: 0 };
    await scene.signIn(a.client, ada, [
      [alone, unread],
      [shared, unread],
    ]);
    for (const group of [alone, shared]) {
      const page = await scene.nextPage(group);
      await page.succeed(group.page(page.params));
      await scene.puppet.publish.message(group.store());
      await a.has(group, 2);
      expect(a.seqs(group)).toEqual([1, 1, 2]);
      expect(a.versions(group)).toEqual([1, 1]);
    }
    await b.has(shared, 2);
    expect(b.seqs(shared)).toEqual([1, 2]);
  });

  test('while it is reading hears of a new group, and tells it once', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const beacon = scene.beacon(ada);
    const client = await scene.connect();
    const all = await scene.beginSignIn(client, ada, [beacon]);
    const group = scene.group([ada, bob]);
    await scene.puppet.publish.stateTo(ada.userId, group.state());
    const one = await scene.nextRead(ada);
    expect([all.params.group_ids, one.params.group_ids]).toEqual([null, [group.id]]);
    await all.succeed(scene.read(beacon, group));
    await one.succeed(scene.read(group));
    const a = scene.present(client, ada);
    await a.settled();
    expect(a.versions(group)).toEqual([1]);
    await scene.puppet.publish.message(group.store());
    await a.has(group, 1);
  });

  test('that reads a group of which it was not told listens to it, reads it once more, and tells it once', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const beacon = scene.beacon(ada);
    const client = await scene.connect();
    const all = await scene.beginSignIn(client, ada, [beacon]);
    const group = scene.group([bob], { lastSeq: 2 });
    group.add(ada);
    await all.succeed(scene.read(beacon, group));
    const again = await scene.nextRead(ada);
    expect(again.params.group_ids).toEqual([group.id]);
    expect(await scene.listenersOf(group)).toBe(1);
    await again.succeed(scene.read(group));
    const a = scene.present(client, ada);
    await a.hasState(group, 2);
    await scene.puppet.publish.message(group.store());
    await a.has(group, 3);
    expect(a.versions(group)).toEqual([2]);
    expect(a.seqs(group)).toEqual([3]);
  });

  test('is sent what another connection of the person acknowledges while it is still reading', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 2 });
    const client = await scene.connect();
    const asked = await scene.askSignIn(client, ada);
    await asked.succeed({
      user_id: ada.userId,
      sid: ada.sid,
      group_ids: [group.id],
      delivered_seqs: [2],
    });
    const reading = await scene.nextRead(ada);
    // Stored, delivered elsewhere and acknowledged there: this connection was signed in already.
    group.store();
    await reading.succeed(scene.read(group));
    const page = await scene.nextPage(group);
    expect(page.params.after_seq).toBe(2);
    await page.succeed(group.page(page.params));
    const a = scene.present(client, ada);
    await a.has(group, 3);
    expect(a.seqs(group)).toEqual([3]);
  });

  test('that the core cannot read for ends with 1013, so that the client starts clean', async () => {
    const ada = scene.person();
    const client = await scene.connect();
    await (await scene.beginSignIn(client, ada, [])).refuse('server busy');
    const { code, reason } = closeReasons.outcomeUnknown;
    expect(await client.closed).toEqual({ code, reason });
  });
});

import type { GroupState } from '@hooligram/contract';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Scene } from '../scene.ts';
import type { Person } from '../stored-group.ts';

let scene: Scene;

beforeAll(async () => {
  // Holes are waited out, so that nothing is fetched unless a test means it.
  scene = await Scene.start({ GAP_WAIT_MS: '60000' });
});

// A test that failed half way leaves nothing to the next one.
afterEach(() => {
  for (const wire of scene.wires) wire.free();
});

afterAll(() => scene?.stop());

/** How often somebody's groups were read. */
function readsOf({ userId }: Person): number {
  return scene.puppet.asked.filter(
    ({ type, params }) => type === 'REPLAY_GROUPS' && 'user_id' in params && params.user_id === userId,
  ).length;
}

describe('19: who left', () => {
  test('never gets a message that was stored after they left and arrives before the news of it', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob]);
    const [a, b] = [await scene.enter(ada, [group]), await scene.enter(bob, [group])];
    const without = group.remove(bob);
    const message = group.store();
    await scene.puppet.publish.message(message);
    await b.settled();
    expect(b.seqs(group)).toEqual([]);
    expect(a.seqs(group)).toEqual([]);
    await scene.puppet.publish.state(without);
    await a.has(group, 1);
    await b.settled();
    expect(a.versions(group)).toEqual([1, 2]);
    expect(b.seqs(group)).toEqual([]);
    expect(b.versions(group)).toEqual([1]);
  });

  test('is not brought back by an older state that names them and arrives late', async () => {
    const [ada, bob, cat] = [scene.person(), scene.person(), scene.person()];
    const group = scene.group([ada, bob]);
    const [a, b] = [await scene.enter(ada, [group]), await scene.enter(bob, [group])];
    const older = group.add(cat);
    const newer = group.remove(bob);
    const message = group.store();
    await scene.puppet.publish.state(newer);
    await scene.puppet.publish.state(older);
    await scene.puppet.publish.stateTo(bob.userId, older);
    // Their own channel is heard even now, so the gateway looks for itself, and is told the truth.
    await (await scene.nextRead(bob)).succeed({ memberships: [] });
    await scene.puppet.publish.message(message);
    await a.has(group, 1);
    await b.settled();
    expect(a.versions(group)).toEqual([1, 3]);
    expect(b.versions(group)).toEqual([1]);
    expect(b.seqs(group)).toEqual([]);
  });

  test('gets nothing of a page that was read while they were a member and arrives after they left', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob], { lastSeq: 3 });
    const a = await scene.enter(ada, [group]);
    const b = await scene.enter(bob, [[group, { delivered_seq: 0 }]]);
    const asked = await scene.nextPage(group);
    const page = group.page(asked.params);
    await scene.puppet.publish.state(group.remove(bob));
    await a.hasState(group, 2);
    await asked.succeed(page);
    await b.settled();
    expect(b.seqs(group)).toEqual([]);
    expect(b.versions(group)).toEqual([1]);
  });

  test('gets nothing of a page that itself tells that they left', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob], { lastSeq: 3 });
    const b = await scene.enter(bob, [[group, { delivered_seq: 0 }]]);
    const asked = await scene.nextPage(group);
    group.remove(bob);
    await asked.succeed(group.page(asked.params));
    await b.settled();
    expect(b.seqs(group)).toEqual([]);
    expect(b.versions(group)).toEqual([1]);
    expect(await scene.listenersOf(group)).toBe(0);
  });

  test('gets nothing of the group when they left between the read and its arrival', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob], { lastSeq: 3 });
    const client = await scene.connect();
    const beacon = scene.beacon(bob);
    const asked = await scene.beginSignIn(client, bob, [group, beacon]);
    const before = scene.read(group, beacon);
    await scene.puppet.publish.state(group.remove(bob));
    await asked.succeed(before);
    // What was read is older than what was heard, so it is read again.
    const again = await scene.nextRead(bob);
    expect(again.params.group_ids).toEqual([group.id]);
    await again.succeed({ memberships: [] });
    const b = scene.present(client, bob);
    await b.settled();
    expect(b.versions(group)).toEqual([]);
    expect(b.seqs(group)).toEqual([]);
  });

  test('gets nothing behind the SUCCESS of their LEAVE, on none of their connections', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob]);
    const a = await scene.enter(ada, [group]);
    const [b, b2] = [await scene.enter(bob, [group]), await scene.enter(bob, [group])];
    const early = group.store();
    const state = group.remove(bob);
    const late = group.store();
    b.client.send('GROUP_LEAVE_REQUEST', { group_id: group.id });
    const leaving = await scene.puppet.next('GROUP_LEAVE');
    // Only the answer tells of the change: what is published still belongs to the version before.
    await leaving.succeed({ state });
    await b.client.next('GROUP_LEAVE_SUCCESS');
    await scene.puppet.publish.message(early);
    await scene.puppet.publish.state(state);
    await scene.puppet.publish.message(late);
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

describe('19: who joined', () => {
  test('never gets a message that was stored before, even if it arrives later', async () => {
    const [ada, cat] = [scene.person(), scene.person()];
    const group = scene.group([ada]);
    const [a, c] = [await scene.enter(ada, [group]), await scene.enter(cat)];
    const before = group.store();
    const state = group.add(cat);
    await scene.puppet.publish.state(state);
    await scene.puppet.publish.stateTo(cat.userId, state);
    await (await scene.nextRead(cat)).succeed(scene.read(group));
    await c.hasState(group, 2);
    await scene.puppet.publish.message(before);
    const after = group.store();
    await scene.puppet.publish.message(after);
    await Promise.all([a.has(group, 2), c.has(group, 2)]);
    expect(a.seqs(group)).toEqual([1, 2]);
    expect(c.seqs(group)).toEqual([2]);
  });

  test('again gets what was stored since the second joining alone, although the group lags far behind', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob], { lastSeq: 15 });
    const [a, b] = [await scene.enter(ada, [group]), await scene.enter(bob, [group])];
    const between = group.storeMany(5);
    group.remove(bob);
    between.push(...group.storeMany(10));
    // Of leaving and joining, only the second is heard.
    await scene.puppet.publish.state(group.add(bob));
    expect(group.state().members.find(([userId]) => userId === bob.userId)?.[2]).toBe(30);
    for (const message of between) await scene.puppet.publish.message(message);
    const after = group.store();
    await scene.puppet.publish.message(after);
    await Promise.all([a.has(group, 31), b.has(group, 31)]);
    expect(a.seqs(group)).toEqual([...between.map(({ seq }) => seq), 31]);
    expect(b.seqs(group)).toEqual([31]);
    expect(b.versions(group)).toEqual([1, 3]);
    b.acknowledge(group, 31);
    const raised = await scene.nextCursors(bob);
    expect(raised.params.cursors).toEqual([
      expect.objectContaining({ group_id: group.id, delivered_seq: 31 }),
    ]);
    await raised.succeed({});
  });

  test('again in the middle of their replay gets what was stored since the second joining alone', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob], { lastSeq: 4 });
    const a = await scene.enter(ada, [group]);
    const b = await scene.enter(bob, [[group, { delivered_seq: 0 }]]);
    const asked = await scene.nextPage(group);
    const page = group.page(asked.params);
    group.remove(bob);
    group.store();
    await scene.puppet.publish.state(group.add(bob));
    await scene.puppet.publish.message(group.message(5));
    await a.has(group, 5);
    await asked.succeed(page);
    const after = group.store();
    await scene.puppet.publish.message(after);
    await b.has(group, 6);
    expect(b.seqs(group)).toEqual([6]);
  });
});

describe('a state', () => {
  test('jumps over the ones that were missed, for it tells all that matters', async () => {
    const [ada, bob, cat] = [scene.person(), scene.person(), scene.person()];
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group]);
    group.add(bob);
    group.add(cat);
    const state = group.remove(bob);
    const message = group.store();
    await scene.puppet.publish.state(state);
    await scene.puppet.publish.message(message);
    await a.has(group, 1);
    expect(a.versions(group)).toEqual([1, 4]);
    const told = a.client.received('GROUP_DELIVER_REQUEST').at(-1);
    expect(told?.payload.member_sids).toEqual([ada.sid, cat.sid].sort());
  });

  test('holds back a message that was stored under it until it is here', async () => {
    const [ada, cat] = [scene.person(), scene.person()];
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group]);
    const state = group.add(cat);
    const message = group.store();
    await scene.puppet.publish.message(message);
    await a.settled();
    expect(a.seqs(group)).toEqual([]);
    await scene.puppet.publish.state(state);
    await a.has(group, 1);
    const order = a.client.frames
      .filter(({ payload }) => payload.group_id === group.id)
      .map(({ type }) => type);
    expect(order).toEqual(['GROUP_DELIVER_REQUEST', 'GROUP_DELIVER_REQUEST', 'MESSAGING_DELIVER_REQUEST']);
  });

  test('holds back a message that was stored under it, also when the hole before that message closes first', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob]);
    const [a, b] = [await scene.enter(ada, [group]), await scene.enter(bob, [group])];
    const before = group.store();
    const without = group.remove(bob);
    await scene.puppet.publish.message(group.store());
    await scene.puppet.publish.message(before);
    await Promise.all([a.settled(), b.settled()]);
    expect([a.seqs(group), b.seqs(group)]).toEqual([[1], [1]]);
    await scene.puppet.publish.state(without);
    await a.has(group, 2);
    await b.settled();
    expect(b.seqs(group)).toEqual([1]);
  });

  test('that overtakes the read of who joins is what they are told, and the only one', async () => {
    const [ada, bob, cat] = [scene.person(), scene.person(), scene.person()];
    const group = scene.group([ada, bob]);
    const beacon = scene.beacon(bob);
    const client = await scene.connect();
    const asked = await scene.beginSignIn(client, bob, [group, beacon]);
    const before = scene.read(group, beacon);
    await scene.puppet.publish.state(group.add(cat));
    await asked.succeed(before);
    const b = scene.present(client, bob);
    await b.hasState(group, 2);
    const message = group.store();
    await scene.puppet.publish.message(message);
    await b.has(group, 1);
    expect(b.versions(group)).toEqual([2]);
    // It names them, so there was nothing to read again: a group may change as fast as it likes.
    await b.saidAll();
    expect(readsOf(bob)).toBe(1);
  });

  test('that overtakes the read is told also to who had acknowledged all of a group that was closed', async () => {
    const [ada, bob, cat] = [scene.person(), scene.person(), scene.person()];
    const group = scene.group([ada, bob, cat]);
    const beacon = scene.beacon(bob);
    const client = await scene.connect();
    const asked = await scene.beginSignIn(client, bob, [group, beacon]);
    const closed = (state: GroupState) => ({ ...state, closed: true });
    const before = { ...group.membership(), state: closed(group.state()) };
    await scene.puppet.publish.state(closed(group.remove(cat)));
    await asked.succeed({ memberships: [before, beacon.membership()] });
    const b = scene.present(client, bob);
    await b.settled();
    expect(b.versions(group)).toEqual([2]);
    expect(readsOf(bob)).toBe(1);
  });

  test('that overtakes the read is that of a second joining: nothing of before it is sent, whatever was read', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob], { lastSeq: 3 });
    const beacon = scene.beacon(bob);
    const client = await scene.connect();
    const asked = await scene.beginSignIn(client, bob, [group, beacon]);
    const before = [group.membership({ delivered_seq: 1, delivered_version: 0 }), beacon.membership()];
    group.remove(bob);
    const between = group.storeMany(2);
    await scene.puppet.publish.state(group.add(bob));
    for (const message of between) await scene.puppet.publish.message(message);
    await asked.succeed({ memberships: before });
    const b = scene.present(client, bob);
    await b.hasState(group, 3);
    await scene.puppet.publish.message(group.store());
    await b.has(group, 6);
    expect(b.seqs(group)).toEqual([6]);
    expect(b.versions(group)).toEqual([3]);
    b.acknowledge(group, 6);
    const raised = await scene.puppet.next('CURSOR_RAISE', ({ cursors }) =>
      cursors.some(({ group_id, delivered_seq }) => group_id === group.id && delivered_seq === 6),
    );
    await raised.succeed({});
    expect(readsOf(bob)).toBe(1);
  });

  test('that overtakes the read leaves what was missed before it to the replay', async () => {
    const [ada, bob, cat] = [scene.person(), scene.person(), scene.person()];
    const group = scene.group([ada, bob], { lastSeq: 2 });
    const beacon = scene.beacon(bob);
    const client = await scene.connect();
    const asked = await scene.beginSignIn(client, bob, [group, beacon]);
    const before = [group.membership({ delivered_seq: 1 }), beacon.membership()];
    const under = group.store();
    await scene.puppet.publish.message(under);
    await scene.puppet.publish.state(group.add(cat));
    await asked.succeed({ memberships: before });
    const page = await scene.nextPage(group);
    expect(page.params).toMatchObject({ after_seq: 1, known_version: 2 });
    await page.succeed(group.page(page.params));
    const b = scene.present(client, bob);
    await b.has(group, 3);
    await scene.puppet.publish.message(group.store());
    await b.has(group, 4);
    expect(b.seqs(group)).toEqual([2, 3, 4]);
    expect(b.versions(group)).toEqual([2]);
    expect(readsOf(bob)).toBe(1);
  });
});

describe('23: the last group of a connection', () => {
  test('a message published in the turn of the removal reaches who was entitled, and nothing behind it', async () => {
    const [ada, bob, cat] = [scene.person(), scene.person(), scene.person()];
    const group = scene.group([ada, bob]);
    const client = await scene.connect();
    await (await scene.beginSignIn(client, bob, [group])).succeed(scene.read(group));
    const b = scene.present(client, bob);
    await b.hasState(group, 1);
    const a = await scene.enter(ada, [group]);

    scene.wire().hold('subscriber', 'toGateway');
    const last = group.store();
    const state = group.remove(bob);
    const foreign = group.store();
    await scene.puppet.publish.message(last);
    await scene.puppet.publish.state(state);
    await scene.puppet.publish.message(foreign);
    await scene.wire().keeps('subscriber', foreign.frame);
    scene.wire().release('subscriber', 'toGateway');

    await Promise.all([a.has(group, 2), b.has(group, 1)]);
    // In no group at all, the connection is still told of new ones.
    const next = scene.group([bob, cat]);
    await scene.puppet.publish.stateTo(bob.userId, next.state());
    await (await scene.nextRead(bob)).succeed(scene.read(next));
    await b.hasState(next, 1);
    await scene.puppet.publish.message(next.store());
    await b.has(next, 1);
    expect(b.seqs(group)).toEqual([1]);
    expect(b.versions(group)).toEqual([1]);
    expect(a.seqs(group)).toEqual([1, 2]);
  });
});

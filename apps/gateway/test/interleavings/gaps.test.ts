import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { measured, range, Scene } from '../scene.ts';

/** Waits holes out; holds only three messages back. */
const patient = 0;
/** Fetches a hole at once. */
const eager = 1;

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start({ GAP_WAIT_MS: '60000', GAP_HELD_MAX: '3' }, { GAP_WAIT_MS: '1' });
});

// A test that failed half way leaves nothing to the next one.
afterEach(() => {
  for (const wire of scene.wires) wire.free();
});

afterAll(() => scene?.stop());

describe('20: the first gateway to hold a member', () => {
  test('neither loses nor doubles what is published before its subscription and during its read', async () => {
    const [ada, cat] = [scene.person(), scene.person()];
    const c = await scene.enter(cat, [], eager);
    const group = scene.group([ada, cat]);
    const channel = scene.puppet.names.group(group.id);
    scene.wire(eager).forget();
    scene.wire(eager).hold('subscriber', 'toRedis');
    await scene.puppet.publish.stateTo(cat.userId, group.state());
    await scene.wire(eager).hears('subscriber', channel);
    // Not effective yet: nobody hears this one.
    await scene.puppet.publish.message(group.store());
    expect(await scene.listenersOf(group)).toBe(0);
    scene.wire(eager).release('subscriber', 'toRedis');
    const asked = await scene.nextRead(cat);
    expect(await scene.listenersOf(group)).toBe(1);
    // Committed before the read and after it, both heard while it is under way.
    await scene.puppet.publish.message(group.store());
    const read = { memberships: [group.membership({ delivered_seq: 0 })] };
    await scene.puppet.publish.message(group.store());
    await asked.succeed(read);
    const page = await scene.nextPage(group);
    expect(page.params.after_seq).toBe(0);
    await page.succeed(group.page(page.params));
    await c.has(group, 3);
    await scene.puppet.publish.message(group.store());
    await c.has(group, 4);
    expect(c.seqs(group)).toEqual([1, 2, 3, 4]);
    expect(c.versions(group)).toEqual([1]);
  });

  test('asks nothing of the core before Redis has confirmed the subscription', async () => {
    const [ada, cat] = [scene.person(), scene.person()];
    const c = await scene.enter(cat, [], eager);
    const group = scene.group([ada, cat]);
    scene.wire(eager).forget();
    scene.wire(eager).hold('subscriber', 'toRedis');
    await scene.puppet.publish.stateTo(cat.userId, group.state());
    await scene.wire(eager).hears('subscriber', scene.puppet.names.group(group.id));
    c.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'asked later, comes earlier' });
    await (await scene.puppet.next('MESSAGING_SEND')).refuse('not a member of the group');
    const reads = () =>
      scene.puppet.asked.filter(
        ({ type, params }) =>
          type === 'REPLAY_GROUPS' && 'group_ids' in params && params.group_ids?.includes(group.id),
      );
    expect(reads()).toEqual([]);
    scene.wire(eager).release('subscriber', 'toRedis');
    await (await scene.nextRead(cat)).succeed(scene.read(group));
    await c.hasState(group, 1);
  });
});

describe('21: two cores publish out of order', () => {
  test('7 before 6 is held until 6 came', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 5 });
    const a = await scene.enter(ada, [group], patient);
    const [six, seven] = [group.store(), group.store()];
    await scene.puppet.publish.message(seven);
    await a.settled();
    expect(a.seqs(group)).toEqual([]);
    await scene.puppet.publish.message(six);
    await a.has(group, 7);
    expect(a.seqs(group)).toEqual([6, 7]);
  });

  test('7 before 6 is held until the core has answered for both, and 6 is late then', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 5 });
    const a = await scene.enter(ada, [group], eager);
    const [six, seven] = [group.store(), group.store()];
    await scene.puppet.publish.message(seven);
    const asked = await scene.nextPage(group);
    expect(asked.params).toMatchObject({ after_seq: 5, known_version: 1 });
    await a.settled();
    expect(a.seqs(group)).toEqual([]);
    await asked.succeed(group.page(asked.params));
    await a.has(group, 7);
    await scene.puppet.publish.message(six);
    await scene.puppet.publish.message(group.store());
    await a.has(group, 8);
    expect(a.seqs(group)).toEqual([6, 7, 8]);
  });

  test('a hole that takes several pages is fetched to its end, with what comes meanwhile behind it', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 5 });
    const a = await scene.enter(ada, [group], eager);
    group.storeMany(4);
    await scene.puppet.publish.message(group.store());
    const first = await scene.nextPage(group);
    await first.succeed(group.page(first.params, 2));
    const second = await scene.nextPage(group);
    expect(second.params.after_seq).toBe(7);
    const page = group.page(second.params);
    await scene.puppet.publish.message(group.store());
    await second.succeed(page);
    await a.has(group, 11);
    expect(a.seqs(group)).toEqual(range(6, 11));
  });

  test('a message whose state was lost is held until the core has told the state, which comes first', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob]);
    const a = await scene.enter(ada, [group], eager);
    const b = await scene.enter(bob, [group], eager);
    group.remove(bob);
    await scene.puppet.publish.message(group.store());
    const asked = await scene.nextPage(group);
    await asked.succeed(group.page(asked.params));
    await a.has(group, 1);
    await b.settled();
    const told = a.client.frames.filter(({ payload }) => payload.group_id === group.id).map(({ id }) => id);
    expect(told).toEqual([
      `g.${group.id}.1`,
      `g.${group.id}.2`,
      `m.${group.id}.${group.message(1).message_id}`,
    ]);
    expect(b.seqs(group)).toEqual([]);
  });

  test('a fetch that the core refuses is repeated, and nothing passes the hole meanwhile', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 5 });
    const a = await scene.enter(ada, [group], eager);
    group.store();
    await scene.puppet.publish.message(group.store());
    await (await scene.nextPage(group)).refuse('server busy');
    const again = await scene.nextPage(group);
    await a.settled();
    expect(a.seqs(group)).toEqual([]);
    await again.succeed(group.page(again.params));
    await a.has(group, 7);
    expect(a.seqs(group)).toEqual([6, 7]);
  });

  test('the same message published twice arrives once', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group], patient);
    const [one, two] = [group.store(), group.store()];
    for (const message of [two, two, one, one, two]) await scene.puppet.publish.message(message);
    await a.settled();
    expect(a.seqs(group)).toEqual([1, 2]);
  });
});

describe('21: too many held', () => {
  test('are dropped and fetched at once, and all arrive once and in order', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 5 });
    const a = await scene.enter(ada, [group], patient);
    const fetched = await measured(scene.system.gateway(patient), 'gateway_gaps_fetched_total');
    for (const message of group.storeMany(5).slice(1)) await scene.puppet.publish.message(message);
    const asked = await scene.nextPage(group);
    expect(asked.params.after_seq).toBe(5);
    const page = group.page(asked.params);
    await scene.puppet.publish.message(group.store());
    await a.settled();
    expect(a.seqs(group)).toEqual([]);
    await asked.succeed(page);
    await a.has(group, 11);
    expect(a.seqs(group)).toEqual(range(6, 11));
    expect(await measured(scene.system.gateway(patient), 'gateway_gaps_fetched_total')).toBe(fetched + 1);
  });

  test('during the fetch are fetched by another one', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 5 });
    const a = await scene.enter(ada, [group], patient);
    for (const message of group.storeMany(5).slice(1)) await scene.puppet.publish.message(message);
    const first = await scene.nextPage(group);
    const page = group.page(first.params);
    // Read before these were stored; so many of them that they are dropped as well.
    for (const message of group.storeMany(5)) await scene.puppet.publish.message(message);
    await a.settled();
    await first.succeed(page);
    const second = await scene.nextPage(group);
    expect(second.params.after_seq).toBe(10);
    await second.succeed(group.page(second.params));
    await a.has(group, 15);
    expect(a.seqs(group)).toEqual(range(6, 15));
  });
});

describe('21: a hole at the very start', () => {
  test('before the first read is fetched after it', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 5 });
    const beacon = scene.beacon(ada);
    const client = await scene.connect(eager);
    const asked = await scene.beginSignIn(client, ada, [group, beacon]);
    const read = scene.read(group, beacon);
    // 6 is lost.
    group.store();
    await scene.puppet.publish.message(group.store());
    await asked.succeed(read);
    const page = await scene.nextPage(group);
    expect(page.params.after_seq).toBe(5);
    await page.succeed(group.page(page.params));
    const a = scene.present(client, ada);
    await a.has(group, 7);
    expect(a.seqs(group)).toEqual([6, 7]);
  });

  test('too large to be held is fetched as soon as the read tells from where', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 5 });
    const beacon = scene.beacon(ada);
    const client = await scene.connect(patient);
    const asked = await scene.beginSignIn(client, ada, [group, beacon]);
    const read = scene.read(group, beacon);
    for (const message of group.storeMany(6).slice(1)) await scene.puppet.publish.message(message);
    await asked.succeed(read);
    const page = await scene.nextPage(group);
    expect(page.params.after_seq).toBe(5);
    await page.succeed(group.page(page.params));
    const a = scene.present(client, ada);
    await a.has(group, 11);
    expect(a.seqs(group)).toEqual(range(6, 11));
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Fixture, metric, range } from '../fixture.ts';

/** Waits gaps out; its out-of-order buffer holds three messages, of 64 KiB in all groups. */
const patient = 0;
/** Fetches a gap at once. */
const eager = 1;

let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start(
    { GAP_WAIT_MS: '60000', GAP_HELD_MAX: '3', GAP_HELD_BYTES_MAX: '65536' },
    { GAP_WAIT_MS: '1' },
  );
});

// A test that failed half way leaves nothing to the next one.
afterEach(() => {
  for (const proxy of fixture.redisProxies) proxy.reset();
});

afterAll(() => fixture?.stop());

describe('the first connection in a group', () => {
  test('neither loses nor gets twice what is published before the subscription and during the read', async () => {
    const [ada, cat] = [fixture.user(), fixture.user()];
    const c = await fixture.connectAs(cat, [], eager);
    const group = fixture.group([ada, cat]);
    const channel = fixture.core.names.group(group.id);
    fixture.redisProxy(eager).forget();
    fixture.redisProxy(eager).hold('subscriber', 'toRedis');
    await fixture.core.publish.stateTo(cat.userId, group.state());
    await fixture.redisProxy(eager).untilSent('subscriber', channel);
    // The subscription is not effective yet: this one is lost.
    await fixture.core.publish.message(group.store());
    expect(await fixture.listenersOf(group)).toBe(0);
    fixture.redisProxy(eager).release('subscriber', 'toRedis');
    const request = await fixture.nextRead(cat);
    expect(await fixture.listenersOf(group)).toBe(1);
    // Committed before the read and after it; both arrive while it is under way.
    await fixture.core.publish.message(group.store());
    const read = { memberships: [group.membership({ delivered_seq: 0 })] };
    await fixture.core.publish.message(group.store());
    await request.succeed(read);
    const page = await fixture.nextPage(group);
    expect(page.params.after_seq).toBe(0);
    await page.succeed(group.page(page.params));
    await c.has(group, 3);
    await fixture.core.publish.message(group.store());
    await c.has(group, 4);
    expect(c.seqs(group)).toEqual([1, 2, 3, 4]);
    expect(c.versions(group)).toEqual([1]);
  });

  test('reads nothing from the core before Redis has confirmed the subscription', async () => {
    const [ada, cat] = [fixture.user(), fixture.user()];
    const c = await fixture.connectAs(cat, [], eager);
    const group = fixture.group([ada, cat]);
    fixture.redisProxy(eager).forget();
    fixture.redisProxy(eager).hold('subscriber', 'toRedis');
    await fixture.core.publish.stateTo(cat.userId, group.state());
    await fixture.redisProxy(eager).untilSent('subscriber', fixture.core.names.group(group.id));
    c.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'asked later, comes earlier' });
    await (await fixture.core.next('MESSAGING_SEND')).refuse('not a member of the group');
    const reads = () =>
      fixture.core.received.filter(
        ({ type, params }) =>
          type === 'REPLAY_GROUPS' && 'group_ids' in params && params.group_ids?.includes(group.id),
      );
    expect(reads()).toEqual([]);
    fixture.redisProxy(eager).release('subscriber', 'toRedis');
    await (await fixture.nextRead(cat)).succeed(fixture.snapshots(group));
    await c.hasState(group, 1);
  });
});

describe('when two cores publish out of order', () => {
  test('7 before 6 waits until 6 came', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 5 });
    const a = await fixture.connectAs(ada, [group], patient);
    const [six, seven] = [group.store(), group.store()];
    await fixture.core.publish.message(seven);
    await a.settled();
    expect(a.seqs(group)).toEqual([]);
    await fixture.core.publish.message(six);
    await a.has(group, 7);
    expect(a.seqs(group)).toEqual([6, 7]);
  });

  test('7 before 6 waits until a page brings both, and a late 6 is dropped', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 5 });
    const a = await fixture.connectAs(ada, [group], eager);
    const [six, seven] = [group.store(), group.store()];
    await fixture.core.publish.message(seven);
    const request = await fixture.nextPage(group);
    expect(request.params).toMatchObject({ after_seq: 5 });
    await a.settled();
    expect(a.seqs(group)).toEqual([]);
    await request.succeed(group.page(request.params));
    await a.has(group, 7);
    await fixture.core.publish.message(six);
    await fixture.core.publish.message(group.store());
    await a.has(group, 8);
    expect(a.seqs(group)).toEqual([6, 7, 8]);
  });

  test('a gap of several pages is fetched to its end, with what comes meanwhile behind it', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 5 });
    const a = await fixture.connectAs(ada, [group], eager);
    group.storeMany(4);
    await fixture.core.publish.message(group.store());
    const first = await fixture.nextPage(group);
    await first.succeed(group.page(first.params, 2));
    const second = await fixture.nextPage(group);
    expect(second.params.after_seq).toBe(7);
    const page = group.page(second.params);
    await fixture.core.publish.message(group.store());
    await second.succeed(page);
    await a.has(group, 11);
    expect(a.seqs(group)).toEqual(range(6, 11));
  });

  test('a page that leaves out what is gone from the database is passed on from its first message', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 5 });
    const a = await fixture.connectAs(ada, [group], eager);
    group.storeMany(3);
    await fixture.core.publish.message(group.store());
    const request = await fixture.nextPage(group);
    const page = group.page(request.params);
    await request.succeed({ ...page, messages: page.messages.slice(2) });
    await a.has(group, 9);
    await fixture.core.publish.message(group.store());
    await a.has(group, 10);
    expect(a.seqs(group)).toEqual([8, 9, 10]);
  });

  test('a message whose state was lost waits until a page brings the state, which comes first', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    const a = await fixture.connectAs(ada, [group], eager);
    const b = await fixture.connectAs(bob, [group], eager);
    group.remove(bob);
    await fixture.core.publish.message(group.store());
    const request = await fixture.nextPage(group);
    await request.succeed(group.page(request.params));
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

  test('a fetch that the core refuses is repeated, and nothing behind the gap is sent meanwhile', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 5 });
    const a = await fixture.connectAs(ada, [group], eager);
    group.store();
    await fixture.core.publish.message(group.store());
    await (await fixture.nextPage(group)).refuse('server busy');
    const again = await fixture.nextPage(group);
    await a.settled();
    expect(a.seqs(group)).toEqual([]);
    await again.succeed(group.page(again.params));
    await a.has(group, 7);
    expect(a.seqs(group)).toEqual([6, 7]);
  });

  test('the same message published twice arrives once', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group], patient);
    const [one, two] = [group.store(), group.store()];
    for (const message of [two, two, one, one, two]) await fixture.core.publish.message(message);
    await a.settled();
    expect(a.seqs(group)).toEqual([1, 2]);
  });
});

describe('too many messages behind a gap', () => {
  test('are dropped and fetched at once, and all arrive once and in order', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 5 });
    const a = await fixture.connectAs(ada, [group], patient);
    const fetched = await metric(fixture.system.gateway(patient), 'gateway_gaps_fetched_total');
    for (const message of group.storeMany(5).slice(1)) await fixture.core.publish.message(message);
    const request = await fixture.nextPage(group);
    expect(request.params.after_seq).toBe(5);
    const page = group.page(request.params);
    await fixture.core.publish.message(group.store());
    await a.settled();
    expect(a.seqs(group)).toEqual([]);
    await request.succeed(page);
    await a.has(group, 11);
    expect(a.seqs(group)).toEqual(range(6, 11));
    expect(await metric(fixture.system.gateway(patient), 'gateway_gaps_fetched_total')).toBe(fetched + 1);
  });

  test('of too many bytes in all groups are dropped in the group that has most, and fetched there alone', async () => {
    const ada = fixture.user();
    const [small, large] = [fixture.group([ada]), fixture.group([ada])];
    const a = await fixture.connectAs(ada, [small, large], patient);
    const gateway = fixture.system.gateway(patient);
    await fixture.core.publish.message(small.storeMany(2)[1] as ReturnType<typeof small.store>);
    for (const message of large.storeMany(3).slice(1)) {
      await fixture.core.publish.message({ ...message, frame: message.frame.padEnd(40_000) });
    }
    const request = await fixture.nextPage(large);
    await a.settled();
    expect(fixture.pagesOf(small)).toBe(0);
    expect(await metric(gateway, 'gateway_buffers_dropped_total')).toBe(1);
    expect(await metric(gateway, 'gateway_out_of_order_bytes')).toBeLessThan(1_000);
    await request.succeed(large.page(request.params));
    await a.has(large, 3);
    expect(a.seqs(large)).toEqual(range(1, 3));
    expect(a.seqs(small)).toEqual([]);
  });

  test('during the fetch are fetched by another one', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 5 });
    const a = await fixture.connectAs(ada, [group], patient);
    for (const message of group.storeMany(5).slice(1)) await fixture.core.publish.message(message);
    const first = await fixture.nextPage(group);
    const page = group.page(first.params);
    // Read before these were stored; so many of them that they are dropped as well.
    for (const message of group.storeMany(5)) await fixture.core.publish.message(message);
    await a.settled();
    await first.succeed(page);
    const second = await fixture.nextPage(group);
    expect(second.params.after_seq).toBe(10);
    await second.succeed(group.page(second.params));
    await a.has(group, 15);
    expect(a.seqs(group)).toEqual(range(6, 15));
  });
});

describe('a gap at the very start', () => {
  test('before the first read is fetched after it', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 5 });
    const sentinel = fixture.sentinel(ada);
    const client = await fixture.connect(eager);
    const request = await fixture.beginSignIn(client, ada, [group, sentinel]);
    const read = fixture.snapshots(group, sentinel);
    // 6 is lost.
    group.store();
    await fixture.core.publish.message(group.store());
    await request.succeed(read);
    const page = await fixture.nextPage(group);
    expect(page.params.after_seq).toBe(5);
    await page.succeed(group.page(page.params));
    const a = fixture.asUser(client, ada);
    await a.has(group, 7);
    expect(a.seqs(group)).toEqual([6, 7]);
  });

  test('that is larger than the out-of-order buffer is fetched as soon as the read says from where', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 5 });
    const sentinel = fixture.sentinel(ada);
    const client = await fixture.connect(patient);
    const request = await fixture.beginSignIn(client, ada, [group, sentinel]);
    const read = fixture.snapshots(group, sentinel);
    for (const message of group.storeMany(6).slice(1)) await fixture.core.publish.message(message);
    await request.succeed(read);
    const page = await fixture.nextPage(group);
    expect(page.params.after_seq).toBe(5);
    await page.succeed(group.page(page.params));
    const a = fixture.asUser(client, ada);
    await a.has(group, 11);
    expect(a.seqs(group)).toEqual(range(6, 11));
  });
});

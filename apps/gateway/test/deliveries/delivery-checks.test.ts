import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Fixture } from '../fixture.ts';

let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start({ GAP_WAIT_MS: '60000', DELIVERY_ACK_DEADLINE_MS: '60000' });
});

afterAll(() => fixture?.stop());

describe('on a delivery check a gateway fetches', () => {
  test('the messages that it missed, however quiet the group is', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group]);
    group.storeMany(3);
    await fixture.core.publish.check(group.deliveryCheck());
    const page = await fixture.nextPage(group);
    expect(page.params.after_seq).toBe(0);
    await page.succeed(group.page(page.params));
    await a.has(group, 3);
    expect(a.seqs(group)).toEqual([1, 2, 3]);
  });

  test('the state that it missed', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group]);
    group.add(bob);
    await fixture.core.publish.check(group.deliveryCheck());
    const page = await fixture.nextPage(group);
    await page.succeed(group.page(page.params));
    await a.hasState(group, 2);
    expect(a.versions(group)).toEqual([1, 2]);
  });

  test('that a member left, who is sent nothing more then', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    const a = await fixture.connectAs(ada, [group]);
    group.remove(ada);
    group.store();
    await fixture.core.publish.check(group.deliveryCheck());
    const page = await fixture.nextPage(group);
    await page.succeed(group.page(page.params));
    await a.settled();
    expect(a.seqs(group)).toEqual([]);
    expect(a.versions(group)).toEqual([1]);
  });

  test('nothing when it misses nothing', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group]);
    await fixture.core.publish.message(group.store());
    await fixture.core.publish.check(group.deliveryCheck());
    await a.settled();
    await a.sentAll();
    expect(fixture.pagesOf(group)).toBe(0);
  });
});

describe('on a delivery check a gateway reports', () => {
  test('exactly the users here who have not acknowledged the messages that are due', async () => {
    const [ada, bob, cat, dan] = [fixture.user(), fixture.user(), fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob, cat]);
    const [a, b, c] = [
      await fixture.connectAs(ada, [group]),
      await fixture.connectAs(bob, [group]),
      await fixture.connectAs(cat, [group]),
    ];
    for (const message of group.storeMany(2)) await fixture.core.publish.message(message);
    // Joins behind what is due.
    await fixture.core.publish.state(group.add(dan));
    const d = await fixture.connectAs(dan, [group]);
    await fixture.core.publish.message(group.store());
    await Promise.all([a, b, c, d].map((client) => client.has(group, 3)));
    a.acknowledge(group, 1, 2);
    b.acknowledge(group, 1);
    // All but one: a cursor that cannot move.
    c.acknowledge(group, 2, 3);
    await Promise.all([a, b, c].map(({ client }) => client.roundTrip()));
    await fixture.core.publish.check(group.deliveryCheck({ seq: 2 }));
    const report = await fixture.nextReport(bob);
    expect(report.params.user_ids.sort()).toEqual([bob.userId, cat.userId]);
    await report.succeed({});
  });

  test('exactly the users who have not acknowledged the state that is due and were not sent it often enough', async () => {
    const [ada, bob, cat] = [fixture.user(), fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob, cat]);
    const a = await fixture.connectAs(ada, [[group, { delivered_version: 0 }]]);
    await fixture.connectAs(bob, [[group, { delivered_version: 0 }]]);
    await fixture.connectAs(cat, [[group, { delivered_version: 0, retried_version: 1 }]]);
    a.acknowledgeState(group);
    await a.client.roundTrip();
    await fixture.core.publish.check(group.deliveryCheck({ version: 1 }));
    const report = await fixture.nextReport(bob);
    expect(report.params.user_ids).toEqual([bob.userId]);
    await report.succeed({});
  });

  test('nobody for what is too young to be due', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const [young, old] = [fixture.group([ada]), fixture.group([bob])];
    const a = await fixture.connectAs(ada, [[young, { delivered_version: 0 }]]);
    await fixture.connectAs(bob, [[old, { delivered_version: 0 }]]);
    await fixture.core.publish.message(young.store());
    await a.has(young, 1);
    await fixture.core.publish.check(young.deliveryCheck());
    await fixture.core.publish.check(old.deliveryCheck({ version: 1 }));
    const report = await fixture.nextReport(bob);
    expect(report.params.user_ids).toEqual([bob.userId]);
    await report.succeed({});
    const reported = fixture.core.received.flatMap(({ type, params }) =>
      type === 'OVERDUE_REPORT' && 'user_ids' in params ? params.user_ids : [],
    );
    expect(reported).not.toContain(ada.userId);
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Scene } from '../scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start({ GAP_WAIT_MS: '60000', DELIVERY_ACK_DEADLINE_MS: '60000' });
});

afterAll(() => scene?.stop());

describe('an audit makes a gateway fetch', () => {
  test('the messages that it missed, however quiet the group is', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group]);
    group.storeMany(3);
    await scene.puppet.publish.check(group.audit());
    const page = await scene.nextPage(group);
    expect(page.params.after_seq).toBe(0);
    await page.succeed(group.page(page.params));
    await a.has(group, 3);
    expect(a.seqs(group)).toEqual([1, 2, 3]);
  });

  test('the state that it missed', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group]);
    group.add(bob);
    await scene.puppet.publish.check(group.audit());
    const page = await scene.nextPage(group);
    expect(page.params.known_version).toBe(1);
    await page.succeed(group.page(page.params));
    await a.hasState(group, 2);
    expect(a.versions(group)).toEqual([1, 2]);
  });

  test('that they left, who are sent nothing more then', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob]);
    const a = await scene.enter(ada, [group]);
    group.remove(ada);
    group.store();
    await scene.puppet.publish.check(group.audit());
    const page = await scene.nextPage(group);
    await page.succeed(group.page(page.params));
    await a.settled();
    expect(a.seqs(group)).toEqual([]);
    expect(a.versions(group)).toEqual([1]);
  });

  test('nothing when it misses nothing', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group]);
    await scene.puppet.publish.message(group.store());
    await scene.puppet.publish.check(group.audit());
    await a.settled();
    await a.saidAll();
    expect(scene.pagesOf(group)).toBe(0);
  });
});

describe('an audit makes a gateway report', () => {
  test('exactly those of its people who have not acknowledged the messages that are due', async () => {
    const [ada, bob, cat, dan] = [scene.person(), scene.person(), scene.person(), scene.person()];
    const group = scene.group([ada, bob, cat]);
    const [a, b, c] = [
      await scene.enter(ada, [group]),
      await scene.enter(bob, [group]),
      await scene.enter(cat, [group]),
    ];
    for (const message of group.storeMany(2)) await scene.puppet.publish.message(message);
    // Joins behind what is due.
    await scene.puppet.publish.state(group.add(dan));
    const d = await scene.enter(dan, [group]);
    await scene.puppet.publish.message(group.store());
    await Promise.all([a, b, c, d].map((present) => present.has(group, 3)));
    a.acknowledge(group, 1, 2);
    b.acknowledge(group, 1);
    // All but one: a cursor that cannot move.
    c.acknowledge(group, 2, 3);
    await Promise.all([a, b, c].map(({ client }) => client.roundTrip()));
    await scene.puppet.publish.check(group.audit({ seq: 2 }));
    const report = await scene.nextReport(bob);
    expect(report.params.user_ids.sort()).toEqual([bob.userId, cat.userId]);
    await report.succeed({});
  });

  test('exactly those who have not acknowledged the state that is due, and were not sent it often enough', async () => {
    const [ada, bob, cat] = [scene.person(), scene.person(), scene.person()];
    const group = scene.group([ada, bob, cat]);
    const a = await scene.enter(ada, [[group, { delivered_version: 0 }]]);
    await scene.enter(bob, [[group, { delivered_version: 0 }]]);
    await scene.enter(cat, [[group, { delivered_version: 0, retried_version: 1 }]]);
    a.acknowledgeState(group);
    await a.client.roundTrip();
    await scene.puppet.publish.check(group.audit({ version: 1 }));
    const report = await scene.nextReport(bob);
    expect(report.params.user_ids).toEqual([bob.userId]);
    await report.succeed({});
  });

  test('nobody for what is too young to be due', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const [young, old] = [scene.group([ada]), scene.group([bob])];
    const a = await scene.enter(ada, [[young, { delivered_version: 0 }]]);
    await scene.enter(bob, [[old, { delivered_version: 0 }]]);
    await scene.puppet.publish.message(young.store());
    await a.has(young, 1);
    await scene.puppet.publish.check(young.audit());
    await scene.puppet.publish.check(old.audit({ version: 1 }));
    const report = await scene.nextReport(bob);
    expect(report.params.user_ids).toEqual([bob.userId]);
    await report.succeed({});
    const reported = scene.puppet.asked.flatMap(({ type, params }) =>
      type === 'OVERDUE_REPORT' && 'user_ids' in params ? params.user_ids : [],
    );
    expect(reported).not.toContain(ada.userId);
  });
});

import { messageDeliveryId } from '@hooligram/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, type Present, Scene } from '../scene.ts';
import type { StoredGroup } from '../stored-group.ts';

let scene: Scene;

// No test publishes an audit, and the deadline is long enough for every client that is quick to acknowledge.
beforeAll(async () => {
  scene = await Scene.start({ DELIVERY_ACK_DEADLINE_MS: '2000', GAP_WAIT_MS: '1' });
});

afterEach(() => scene.wire().free());

afterAll(() => scene?.stop());

/** Signs in somebody who is owed what the group has, and has it replayed. */
async function replayed(group: StoredGroup, person: Present['person']): Promise<Present> {
  const present = await scene.enter(person, [[group, { delivered_seq: 0 }]]);
  const page = await scene.nextPage(group);
  await page.succeed(group.page(page.params));
  await present.has(group, group.lastSeq);
  return present;
}

/** Resolves when the gateway has looked at everybody who signed in so far, and forgotten about them. */
async function lookedAtAll(): Promise<void> {
  const last = scene.person();
  const { client } = await scene.enter(last, [[scene.group([last]), { delivered_version: 0 }]]);
  await (await scene.nextReport(last)).succeed({});
  await client.close();
}

function reportsOf({ userId }: Present['person']): number {
  return scene.puppet.asked.filter(
    ({ type, params }) =>
      type === 'OVERDUE_REPORT' && 'user_ids' in params && params.user_ids.includes(userId),
  ).length;
}

describe('13: in a group where nothing happens any more', () => {
  test('who does not acknowledge what was replayed on sign-in is reported, and who does is not', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob], { lastSeq: 2 });
    const a = await replayed(group, ada);
    a.acknowledge(group, 2, 1);
    await a.client.roundTrip();
    // Looked at behind ada, whose turn came first.
    await replayed(group, bob);
    const report = await scene.nextReport(bob);
    await report.succeed({});
    expect(reportsOf(ada)).toBe(0);
  });

  test('who does not acknowledge the state that sign-in told is reported, unless it was sent often enough', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob]);
    await scene.enter(ada, [[group, { delivered_version: 0, retried_version: 1 }]]);
    await scene.enter(bob, [[group, { delivered_version: 0 }]]);
    await (await scene.nextReport(bob)).succeed({});
    expect(reportsOf(ada)).toBe(0);
  });

  test('who was added and does not acknowledge the state is reported', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const a = await scene.enter(ada);
    await lookedAtAll();
    const group = scene.group([ada, bob]);
    await scene.puppet.publish.stateTo(ada.userId, group.state());
    await (await scene.nextRead(ada)).succeed({
      memberships: [group.membership({ delivered_version: 0 })],
    });
    await a.hasState(group, 1);
    await (await scene.nextReport(ada)).succeed({});
  });

  test('who does not acknowledge what came through a hole is reported', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group]);
    await lookedAtAll();
    const [, second] = group.storeMany(2);
    if (second) await scene.puppet.publish.message(second);
    const page = await scene.nextPage(group);
    await page.succeed(group.page(page.params));
    await a.has(group, 2);
    await (await scene.nextReport(ada)).succeed({});
  });

  test('who does not acknowledge what was fetched after the gateway could not hear is reported', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group]);
    await lookedAtAll();
    scene.wire().cut('subscriber');
    await eventually(async () => (await scene.listenersOf(group)) === 0, 'Redis has noticed');
    group.store();
    scene.answerPages();
    scene.puppet.always('GROUP_IDS', ({ user_ids }) => ({ group_ids: user_ids.map(() => []) }));
    scene.wire().restore();
    await a.has(group, 1);
    await (await scene.nextReport(ada)).succeed({});
  });
});

describe('a report', () => {
  test('that the core could not take is made again', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    await scene.enter(ada, [[group, { delivered_version: 0 }]]);
    await (await scene.nextReport(ada)).refuse('server busy');
    await (await scene.nextReport(ada)).succeed({});
  });

  test('that the core could not take is not made again of who has acknowledged since', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const [group, other] = [scene.group([ada]), scene.group([bob])];
    const a = await scene.enter(ada, [[group, { delivered_version: 0 }]]);
    await (await scene.nextReport(ada)).refuse('server busy');
    a.acknowledgeState(group);
    await a.client.roundTrip();
    // Looked at behind ada, whose turn came first.
    await scene.enter(bob, [[other, { delivered_version: 0 }]]);
    await (await scene.nextReport(bob)).succeed({});
    expect(reportsOf(ada)).toBe(1);
  });

  test('is made again of who is not overdue yet', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 2 });
    await replayed(group, ada);
    for (const seq of [0, 1]) {
      const report = await scene.nextReport(ada);
      expect(report.params.owed).toEqual([[ada.userId, group.id]]);
      await report.succeed({ cursors: [group.cursor(ada, seq)] });
    }
  });

  test('is made also of who has answered the delivery with FAILURE', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 1 });
    const a = await replayed(group, ada);
    const { message_id } = group.message(1);
    const refusal = { errors: ['the phone is full'] };
    a.client.send('MESSAGING_DELIVER_FAILURE', refusal, messageDeliveryId(group.id, message_id));
    await a.client.roundTrip();
    await (await scene.nextReport(ada)).succeed({});
  });
});

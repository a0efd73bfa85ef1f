import { messageDeliveryId } from '@hooligram/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, Fixture, type SignedInClient } from '../fixture.ts';
import type { StoredGroup } from '../stored-group.ts';

let fixture: Fixture;

// No test publishes a delivery check, and the deadline is long enough for every client that is quick to acknowledge.
beforeAll(async () => {
  fixture = await Fixture.start({ DELIVERY_ACK_DEADLINE_MS: '2000', GAP_WAIT_MS: '1' });
});

afterEach(() => fixture.redisProxy().reset());

afterAll(() => fixture?.stop());

/** Signs in a user who has acknowledged nothing of the group, and has it replayed. */
async function replayed(group: StoredGroup, user: SignedInClient['user']): Promise<SignedInClient> {
  const reading = fixture.nextPage(group);
  const client = await fixture.connectAs(user, [[group, { delivered_seq: 0 }]]);
  const page = await reading;
  await page.succeed(group.page(page.params));
  await client.has(group, group.lastSeq);
  return client;
}

/** Resolves when the gateway has looked at all users who signed in so far, and forgotten about them. */
async function lookedAtAll(): Promise<void> {
  const last = fixture.user();
  const { client } = await fixture.connectAs(last, [[fixture.group([last]), { delivered_version: 0 }]]);
  await (await fixture.nextReport(last)).succeed({});
  await client.close();
}

function reportsOf({ userId }: SignedInClient['user']): number {
  return fixture.core.received.filter(
    ({ type, params }) =>
      type === 'OVERDUE_REPORT' && 'user_ids' in params && params.user_ids.includes(userId),
  ).length;
}

describe('in a group where nothing happens any more', () => {
  test('a user who does not acknowledge the replay of a sign-in is reported, and one who does is not', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob], { lastSeq: 2 });
    const a = await replayed(group, ada);
    a.acknowledge(group, 2, 1);
    await a.client.roundTrip();
    // Looked at behind ada, whose turn came first.
    await replayed(group, bob);
    const report = await fixture.nextReport(bob);
    await report.succeed({});
    expect(reportsOf(ada)).toBe(0);
  });

  test('a user who does not acknowledge the state of a sign-in is reported, unless it was sent often enough', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    await fixture.connectAs(ada, [[group, { delivered_version: 0, retried_version: 1 }]]);
    await fixture.connectAs(bob, [[group, { delivered_version: 0 }]]);
    await (await fixture.nextReport(bob)).succeed({});
    expect(reportsOf(ada)).toBe(0);
  });

  test('a user who was added and does not acknowledge the state is reported', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const a = await fixture.connectAs(ada);
    await lookedAtAll();
    const group = fixture.group([ada, bob]);
    await fixture.core.publish.stateTo(ada.userId, group.state());
    await (await fixture.nextRead(ada)).succeed({
      memberships: [group.membership({ delivered_version: 0 })],
    });
    await a.hasState(group, 1);
    await (await fixture.nextReport(ada)).succeed({});
  });

  test('a user who does not acknowledge what closed a gap is reported', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group]);
    await lookedAtAll();
    const [, second] = group.storeMany(2);
    if (second) await fixture.core.publish.message(second);
    const page = await fixture.nextPage(group);
    await page.succeed(group.page(page.params));
    await a.has(group, 2);
    await (await fixture.nextReport(ada)).succeed({});
  });

  test('a user who does not acknowledge what was fetched after a break is reported', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group]);
    await lookedAtAll();
    fixture.redisProxy().cut('subscriber');
    await eventually(async () => (await fixture.listenersOf(group)) === 0, 'Redis has noticed');
    group.store();
    fixture.answerPages();
    fixture.core.always('GROUP_IDS', ({ user_ids }) => ({ group_ids: user_ids.map(() => []) }));
    fixture.redisProxy().restore();
    await a.has(group, 1);
    await (await fixture.nextReport(ada)).succeed({});
  });
});

describe('a report', () => {
  test('that the core did not answer is made again', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    await fixture.connectAs(ada, [[group, { delivered_version: 0 }]]);
    await (await fixture.nextReport(ada)).refuse('server busy');
    await (await fixture.nextReport(ada)).succeed({});
  });

  test('that the core did not answer is not made again for a user who has acknowledged since', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const [group, other] = [fixture.group([ada]), fixture.group([bob])];
    const a = await fixture.connectAs(ada, [[group, { delivered_version: 0 }]]);
    await (await fixture.nextReport(ada)).refuse('server busy');
    a.acknowledgeState(group);
    await a.client.roundTrip();
    // Looked at behind ada, whose turn came first.
    await fixture.connectAs(bob, [[other, { delivered_version: 0 }]]);
    await (await fixture.nextReport(bob)).succeed({});
    expect(reportsOf(ada)).toBe(1);
  });

  test('is made again for a user who is not overdue yet', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 2 });
    await replayed(group, ada);
    for (const seq of [0, 1]) {
      const report = await fixture.nextReport(ada);
      expect(report.params.owed).toEqual([[ada.userId, group.id]]);
      await report.succeed({ cursors: [group.cursor(ada, seq)] });
    }
  });

  test('is made also for a user who answered the delivery with FAILURE', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 1 });
    const a = await replayed(group, ada);
    const { message_id } = group.message(1);
    const refusal = { errors: ['the phone is full'] };
    a.client.send('MESSAGING_DELIVER_FAILURE', refusal, messageDeliveryId(group.id, message_id));
    await a.client.roundTrip();
    await (await fixture.nextReport(ada)).succeed({});
  });
});

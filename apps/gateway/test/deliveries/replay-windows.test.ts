import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Fixture, range, type SignedInClient } from '../fixture.ts';
import type { StoredGroup } from '../stored-group.ts';

const windowSize = 8;

let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start({ REPLAY_WINDOW: String(windowSize), DELIVERY_ACK_DEADLINE_MS: '600000' });
  fixture.answerPages();
});

afterAll(() => fixture?.stop());

const unread = { delivered_seq: 0 };

/** How many replayed messages have come so far, in all these groups. */
function arrived(client: SignedInClient, groups: readonly StoredGroup[]): number {
  return groups.reduce((sum, group) => sum + client.seqs(group).length, 0);
}

/** Resolves when everything that the gateway is going to send for now is here: it asks for no page any more. */
async function quiet(client: SignedInClient): Promise<void> {
  for (let request = -1; request !== fixture.core.received.length; ) {
    request = fixture.core.received.length;
    await client.settled();
    await client.sentAll();
    // The lookup of `sentAll` itself.
    request += 1;
  }
}

describe('a replay', () => {
  test('never leaves more than a window of messages unacknowledged on a connection, across all its groups', async () => {
    const ada = fixture.user();
    const groups = [10, 20, 30].map((lastSeq) => fixture.group([ada], { lastSeq }));
    const a = await fixture.connectAs(
      ada,
      groups.map((group) => [group, unread] as const),
    );
    const acknowledged = groups.map(() => 0);
    const count = () => acknowledged.reduce((sum, seq) => sum + seq, 0);
    while (count() < 60) {
      await quiet(a);
      const open = arrived(a, groups) - count();
      expect(open).toBeLessThanOrEqual(windowSize);
      // Nor does it stand still while a portion has room.
      if (arrived(a, groups) < 60) expect(open).toBeGreaterThan(windowSize - windowSize / 4);
      const next = groups.findIndex((group, index) => a.seqs(group).length > (acknowledged[index] ?? 0));
      const seq = (acknowledged[next] ?? 0) + 1;
      acknowledged[next] = seq;
      a.acknowledge(groups[next] as StoredGroup, seq);
    }
    for (const group of groups) expect(a.seqs(group)).toEqual(range(1, group.lastSeq));
  });

  test('goes on when another connection of the same user acknowledges', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 20 });
    const one = await fixture.connectAs(ada, [[group, unread]]);
    await one.has(group, windowSize);
    const two = await fixture.connectAs(ada, [[group, unread]]);
    await two.has(group, windowSize);
    await quiet(one);
    expect(one.seqs(group)).toEqual(range(1, windowSize));
    // The first connection sends nothing.
    for (let seq = 1; seq <= 20; seq += 1) {
      await two.has(group, seq);
      two.acknowledge(group, seq);
    }
    await one.has(group, 20);
    expect(one.seqs(group)).toEqual(range(1, 20));
    expect(two.seqs(group)).toEqual(range(1, 20));
  });

  test('goes on with what was acknowledged on another gateway: the answer to a report says so', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 20 });
    const a = await fixture.connectAs(ada, [[group, unread]]);
    await a.has(group, windowSize);
    await quiet(a);
    // Room for one portion, then for everything.
    for (const [stored, through] of [
      [2, windowSize + 2],
      [20, 20],
    ] as const) {
      await fixture.core.publish.check(group.deliveryCheck({ seq: 20 }));
      const report = await fixture.nextReport(ada);
      // Among them the messages by which this test sees that the gateway is quiet.
      expect(report.params.owed).toContainEqual([ada.userId, group.id]);
      await report.succeed({ cursors: [group.cursor(ada, stored)] });
      await a.has(group, through);
      await quiet(a);
      expect(a.seqs(group)).toEqual(range(1, through));
    }
  });

  test('goes on with acknowledgements in any order', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 40 });
    const a = await fixture.connectAs(ada, [[group, unread]]);
    let acknowledged = 0;
    while (acknowledged < 40) {
      await a.client.waitFor(() => a.seqs(group).length > acknowledged);
      await quiet(a);
      const open = a.seqs(group).slice(acknowledged);
      expect(open.length).toBeLessThanOrEqual(windowSize);
      a.acknowledge(group, ...open.reverse());
      acknowledged += open.length;
    }
    expect(a.seqs(group)).toEqual(range(1, 40));
  });

  test('is followed by what was published meanwhile, in order and once, and no other group waits for it', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const [behind, other] = [fixture.group([ada, bob], { lastSeq: 20 }), fixture.group([ada])];
    const a = await fixture.connectAs(ada, [[behind, unread], other]);
    const b = await fixture.connectAs(bob, [behind]);
    await a.has(behind, windowSize);
    for (let times = 0; times < 5; times += 1) {
      await fixture.core.publish.message(behind.store());
      await fixture.core.publish.message(other.store());
    }
    await Promise.all([b.has(behind, 25), a.has(other, 5)]);
    await quiet(a);
    expect(a.seqs(behind)).toEqual(range(1, windowSize));
    for (let seq = 1; seq <= 25; seq += 1) {
      await a.has(behind, seq);
      a.acknowledge(behind, seq);
      if (seq % 5 === 0) await fixture.core.publish.message(behind.store());
    }
    await Promise.all([a.has(behind, 30), b.has(behind, 30)]);
    expect(a.seqs(behind)).toEqual(range(1, 30));
    expect(b.seqs(behind)).toEqual(range(21, 30));
  });

  test('goes on with acknowledgements of messages that the message index has forgotten', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const [group, busy] = [fixture.group([ada], { lastSeq: 20 }), fixture.group([bob])];
    const a = await fixture.connectAs(ada, [[group, unread]]);
    await a.has(group, windowSize);
    const b = await fixture.connectAs(bob, [busy]);
    // More than the gateway remembers, as fast as this client reads.
    for (let thousands = 0; thousands < 101; thousands += 1) {
      const messages = busy.storeMany(1_000);
      await Promise.all(messages.map((message) => fixture.core.publish.message(message)));
      const last = messages.at(-1)?.message_id;
      await b.client.waitFor((frames) => frames.at(-1)?.payload.message_id === last);
    }
    fixture.core.always('MESSAGE_LOOKUP', ({ message_ids }) => ({
      found: message_ids.map((id) => [id, group.id, id - group.id * 1_000_000]),
    }));
    a.acknowledge(group, ...range(1, windowSize));
    await a.has(group, 2 * windowSize);
  });

  test('stops with its connection, and leaves nothing waiting', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada], { lastSeq: 20 });
    const a = await fixture.connectAs(ada, [[group, unread]]);
    await a.has(group, windowSize);
    const written = fixture.nextCursors(ada);
    a.acknowledge(group, 1);
    a.client.terminate();
    await (await written).succeed({});
    const again = await fixture.connectAs(ada, [[group, { delivered_seq: 1 }]]);
    await again.has(group, 1 + windowSize);
    await quiet(again);
    expect(again.seqs(group)).toEqual(range(2, 1 + windowSize));
  });
});

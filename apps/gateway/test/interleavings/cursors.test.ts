import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, measured, type Present, Scene } from '../scene.ts';
import type { StoredGroup } from '../stored-group.ts';

/** Writes cursors at once. */
const prompt = 0;
/** Writes the first cursor at once and the next ones much later. */
const slow = 1;

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start({ CURSOR_FLUSH_MS: '1' }, { CURSOR_FLUSH_MS: '60000' });
});

afterAll(() => scene?.stop());

/** The next cursor of a person that is written, and lets the core store it. */
async function nextCursor({ person }: Present, group: StoredGroup) {
  const asked = await scene.nextCursors(person);
  await asked.succeed({});
  const cursor = asked.params.cursors.find(({ group_id }) => group_id === group.id);
  return cursor && { seq: cursor.delivered_seq, version: cursor.delivered_version };
}

async function publish(present: Present, group: StoredGroup, count: number): Promise<void> {
  for (const message of group.storeMany(count)) await scene.puppet.publish.message(message);
  await present.has(group, group.lastSeq);
}

describe('24: an acknowledgement of a group', () => {
  test('counts for the oldest version that was sent on its connection and is not acknowledged', async () => {
    const [ada, bob, cat] = [scene.person(), scene.person(), scene.person()];
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [[group, { delivered_version: 0 }]]);
    await scene.puppet.publish.state(group.add(bob));
    await scene.puppet.publish.state(group.add(cat));
    await a.hasState(group, 3);
    for (const version of [1, 2, 3]) {
      a.client.send('GROUP_DELIVER_SUCCESS', { group_id: group.id });
      expect(await nextCursor(a, group)).toEqual({ seq: 0, version });
    }
  });

  test('that was not sent marks nothing and is counted', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const foreign = scene.group([bob]);
    const a = await scene.enter(ada);
    const ignored = 'gateway_acknowledgements_ignored_total';
    const before = await measured(scene.system.gateway(prompt), ignored);
    a.client.send('GROUP_DELIVER_SUCCESS', { group_id: foreign.id });
    await a.client.roundTrip();
    expect(await measured(scene.system.gateway(prompt), ignored)).toBe(before + 1);
  });

  test('that refuses it marks nothing, is counted, and does not shift the next one', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [[group, { delivered_version: 0 }]]);
    const refused = 'gateway_deliveries_refused_total';
    const before = await measured(scene.system.gateway(prompt), refused);
    a.client.send('GROUP_DELIVER_FAILURE', { errors: ['no room'] }, `g.${group.id}.1`);
    a.client.send('GROUP_DELIVER_SUCCESS', { group_id: group.id });
    expect(await nextCursor(a, group)).toEqual({ seq: 0, version: 1 });
    expect(await measured(scene.system.gateway(prompt), refused)).toBe(before + 1);
  });
});

describe('a cursor', () => {
  test('stands before the first message that is not acknowledged: 1 and 3 make 1, then 2 makes 3', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group]);
    await publish(a, group, 3);
    a.acknowledge(group, 1, 3);
    expect(await nextCursor(a, group)).toMatchObject({ seq: 1 });
    a.acknowledge(group, 2);
    expect(await nextCursor(a, group)).toMatchObject({ seq: 3 });
  });

  test('is raised by an acknowledgement from any connection of its person', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const [one, two] = [await scene.enter(ada, [group]), await scene.enter(ada, [group])];
    await publish(one, group, 2);
    await two.has(group, 2);
    two.acknowledge(group, 1);
    expect(await nextCursor(two, group)).toMatchObject({ seq: 1 });
    one.acknowledge(group, 1, 2);
    expect(await nextCursor(one, group)).toMatchObject({ seq: 2 });
  });

  test('is written at once when the connection closes', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group], slow);
    await publish(a, group, 2);
    a.acknowledge(group, 1);
    expect(await nextCursor(a, group)).toMatchObject({ seq: 1 });
    a.acknowledge(group, 2);
    await a.client.roundTrip();
    const written = nextCursor(a, group);
    await a.client.close();
    expect(await written).toMatchObject({ seq: 2 });
  });

  test('is written at once when the connection breaks', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group], slow);
    await publish(a, group, 1);
    a.acknowledge(group, 1);
    await a.client.roundTrip();
    const written = nextCursor(a, group);
    a.client.terminate();
    expect(await written).toMatchObject({ seq: 1 });
  });

  test('that the core did not store is written again', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group]);
    await publish(a, group, 1);
    a.acknowledge(group, 1);
    await (await scene.nextCursors(ada)).refuse('server busy');
    expect(await nextCursor(a, group)).toMatchObject({ seq: 1 });
  });

  test('25: starts from what is stored: another gateway got the acknowledgements before it', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 3 });
    const first = await scene.enter(ada, [[group, { delivered_seq: 0 }]]);
    const page = await scene.nextPage(group);
    await page.succeed(group.page(page.params));
    await first.has(group, 3);
    // This one never acknowledges; elsewhere all three were.
    const second = await scene.enter(ada, [[group, { delivered_seq: 3 }]]);
    await publish(second, group, 1);
    second.acknowledge(group, 4);
    expect(await nextCursor(second, group)).toMatchObject({ seq: 4 });
  });

  test('never counts what another person acknowledges, nor what was stored before its own joined', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada], { lastSeq: 3 });
    const state = group.add(bob);
    const [a, b] = [await scene.enter(ada, [group]), await scene.enter(bob, [[group, { delivered_seq: 0 }]])];
    expect(state.members.find(([userId]) => userId === bob.userId)?.[2]).toBe(3);
    await publish(b, group, 2);
    await a.has(group, 5);
    a.acknowledge(group, 4, 5);
    expect(await nextCursor(a, group)).toMatchObject({ seq: 5 });
    b.acknowledge(group, 5);
    await b.client.roundTrip();
    b.acknowledge(group, 4);
    expect(await nextCursor(b, group)).toMatchObject({ seq: 5 });
    expect(b.seqs(group)).toEqual([4, 5]);
  });
});

describe('29: an acknowledgement that this gateway does not know', () => {
  test('is looked up by the core, and raises the cursor if the message is one of the person', async () => {
    const ada = scene.person();
    const group = scene.group([ada], { lastSeq: 1 });
    const a = await scene.enter(ada, [[group, { delivered_seq: 0 }]]);
    const page = await scene.nextPage(group);
    const [{ message_id }] = [group.message(1)];
    a.acknowledge(group, 1);
    const asked = await scene.puppet.next('MESSAGE_LOOKUP', ({ user_id }) => user_id === ada.userId);
    expect(asked.params.message_ids).toEqual([message_id]);
    await asked.succeed({ found: [[message_id, group.id, 1]] });
    expect(await nextCursor(a, group)).toMatchObject({ seq: 1 });
    await page.succeed(group.page(page.params));
    await a.settled();
  });

  test('is ignored and counted if the core does not find it among the groups of the person', async () => {
    const ada = scene.person();
    const a = await scene.enter(ada);
    const ignored = 'gateway_acknowledgements_ignored_total';
    const before = await measured(scene.system.gateway(prompt), ignored);
    a.client.send('MESSAGING_DELIVER_SUCCESS', { message_id: 4_711 });
    const asked = await scene.puppet.next('MESSAGE_LOOKUP', ({ user_id }) => user_id === ada.userId);
    await asked.succeed({ found: [] });
    await eventually(
      async () => (await measured(scene.system.gateway(prompt), ignored)) === before + 1,
      'the acknowledgement is counted',
    );
  });
});

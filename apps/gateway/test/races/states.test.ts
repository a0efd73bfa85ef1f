import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, Fixture, metric, type SignedInClient } from '../fixture.ts';
import type { StoredGroup } from '../stored-group.ts';

let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start({});
});

afterAll(() => fixture?.stop());

const nextStates = (group: StoredGroup) =>
  fixture.core.next('GROUP_STATES', ({ group_ids }) => group_ids.includes(group.id));

const statesRead = (group: StoredGroup) =>
  fixture.core.received.filter(
    ({ type, params }) =>
      type === 'GROUP_STATES' && 'group_ids' in params && params.group_ids?.includes(group.id),
  ).length;

/** The only connection that is in the group here closes, and the gateway has noticed. */
async function leaveAll({ client }: SignedInClient, group: StoredGroup): Promise<void> {
  client.terminate();
  await eventually(async () => (await fixture.listenersOf(group)) === 0, 'nobody is in the group');
}

describe('the state of a group', () => {
  test('is read once for all who sign in at the same time, and not at all by who comes later', async () => {
    const users = [fixture.user(), fixture.user(), fixture.user()];
    const group = fixture.group(users);
    const reading = nextStates(group);
    const clients = await Promise.all(
      users.slice(0, 2).map(async (user) => {
        const client = await fixture.connect();
        await (await fixture.beginSignIn(client, user, [group])).succeed(fixture.snapshots(group));
        return fixture.asUser(client, user);
      }),
    );
    const request = await reading;
    for (const { client } of clients) await client.roundTrip();
    await request.succeed({ states: [group.state()], looked: request.params.group_ids.length });
    for (const client of clients) await client.hasState(group, 1);
    await (await fixture.connectAs(users[2] ?? fixture.user(), [group])).hasState(group, 1);
    expect(statesRead(group)).toBe(1);
  });

  test('is read once for a user who comes and goes, as long as it stays the same, and anew when it has changed', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada, fixture.user()]);
    await leaveAll(await fixture.connectAs(ada, [group]), group);
    for (const _ of [1, 2]) {
      const again = await fixture.connectAs(ada, [group]);
      await fixture.core.publish.message(group.store());
      await again.has(group, group.lastSeq);
      expect(again.versions(group)).toEqual([1]);
      await leaveAll(again, group);
    }
    expect(statesRead(group)).toBe(1);
    expect(await metric(fixture.system.gateway(0), 'gateway_kept_states_bytes')).toBeGreaterThan(0);

    const cat = fixture.user();
    group.add(cat);
    const last = await fixture.connectAs(ada, [group]);
    expect(last.versions(group)).toEqual([2]);
    const told = last.client.received('GROUP_DELIVER_REQUEST').map(({ payload }) => payload);
    expect(told.find(({ group_id }) => group_id === group.id)?.member_sids).toContain(cat.sid);
    expect(statesRead(group)).toBe(2);
  });

  test('that was newer than what the core knows is forgotten when the last one has left', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group]);
    await fixture.core.publish.state({ ...group.state(), version: 99 });
    await a.hasState(group, 99);
    await leaveAll(a, group);
    const again = await fixture.connectAs(ada, [group]);
    await fixture.core.publish.message(group.store());
    await again.has(group, 1);
    expect(again.versions(group)).toEqual([1]);
  });

  test('that was kept is told to nobody who is no member any more', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    await leaveAll(await fixture.connectAs(ada, [group]), group);
    const client = await fixture.connect();
    const sentinel = fixture.sentinel(ada);
    const read = await fixture.beginSignIn(client, ada, [group, sentinel]);
    group.remove(ada);
    await read.succeed(fixture.snapshots(sentinel));
    const a = fixture.asUser(client, ada);
    await a.settled();
    expect(a.versions(group)).toEqual([]);
    // Still there, for somebody else.
    expect((await fixture.connectAs(bob, [group])).versions(group)).toEqual([2]);
  });

  test('makes no other group wait for it, and what did not fit into an answer is read with the next', async () => {
    const ada = fixture.user();
    const [first, second] = [fixture.group([ada]), fixture.group([ada])];
    const client = await fixture.connect();
    const read = await fixture.beginSignIn(client, ada, [first, second]);
    const reading = nextStates(first);
    await read.succeed(fixture.snapshots(first, second));
    const request = await reading;
    expect(request.params.group_ids).toEqual([first.id, second.id]);
    const rest = nextStates(second);
    await request.succeed({ states: [first.state()], looked: 1 });
    const a = fixture.asUser(client, ada);
    await a.hasState(first, 1);
    await fixture.core.publish.message(first.store());
    await a.has(first, 1);
    expect((await rest).params.group_ids).toEqual([second.id]);
    expect(a.versions(second)).toEqual([]);
    await (await rest).succeed({ states: [second.state()], looked: 1 });
    await a.hasState(second, 1);
  });

  test('that is newer than the membership and does not name the user any more takes them out: they are sent nothing', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const [group, other] = [fixture.group([ada, bob]), fixture.group([ada])];
    const client = await fixture.connect();
    const read = await fixture.beginSignIn(client, ada, [group, other]);
    const reading = nextStates(group);
    await read.succeed(fixture.snapshots(group, other));
    const request = await reading;
    const state = group.remove(ada);
    await request.succeed({ states: [state, other.state()], looked: 2 });
    const again = await fixture.nextRead(ada);
    expect(again.params.group_ids).toEqual([group.id]);
    await again.succeed({ memberships: [] });
    const a = fixture.asUser(client, ada);
    await a.hasState(other, 1);
    await fixture.core.publish.message(group.store());
    await fixture.core.publish.message(other.store());
    await a.has(other, 1);
    expect([a.versions(group), a.seqs(group)]).toEqual([[], []]);
  });

  test('that is too large for the answer to a leave is read before the leave is answered, once for all who leave, and they are sent nothing after it', async () => {
    const [ada, bob, cat] = [fixture.user(), fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob, cat]);
    const [a, b] = [await fixture.connectAs(ada, [group]), await fixture.connectAs(bob, [group])];
    const leave = async ({ client, user }: typeof a) => {
      client.send('GROUP_LEAVE_REQUEST', { group_id: group.id }, 'leave');
      const leaving = await fixture.core.next('GROUP_LEAVE', ({ user_id }) => user_id === user.userId);
      expect(leaving.params.reads_state).toBe(true);
      await leaving.succeed({ state: null, version: group.remove(user).version });
    };
    const before = statesRead(group);
    const reading = nextStates(group);
    await leave(a);
    const request = await reading;
    const older = group.state();
    await leave(b);
    await b.client.roundTrip();
    expect([a, b].flatMap(({ client }) => client.received('GROUP_LEAVE_SUCCESS'))).toEqual([]);

    // It was read before the second one left.
    const readAgain = nextStates(group);
    await request.succeed({ states: [older], looked: 1 });
    await a.client.next('GROUP_LEAVE_SUCCESS');
    await (await readAgain).succeed({ states: [group.state()], looked: 1 });
    await b.client.next('GROUP_LEAVE_SUCCESS');
    expect(statesRead(group)).toBe(before + 2);
    await fixture.core.publish.message(group.store());
    for (const one of [a, b]) {
      await one.settled();
      expect(one.seqs(group)).toEqual([]);
    }
  });

  test('that cannot be read leaves it open what became of a leave: the connection is closed with 1013', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada, fixture.user()]);
    const a = await fixture.connectAs(ada, [group]);
    a.client.send('GROUP_LEAVE_REQUEST', { group_id: group.id }, 'leave');
    const leaving = await fixture.core.next('GROUP_LEAVE', ({ group_id }) => group_id === group.id);
    const before = statesRead(group);
    const reading = nextStates(group);
    await leaving.succeed({ state: null, version: group.remove(ada).version });
    await (await reading).refuse('server busy');
    expect((await a.client.closed).code).toBe(1013);
    // Each further read could wait as long as the first one for an answer that does not come.
    expect(statesRead(group)).toBe(before + 1);
    expect(a.client.received('GROUP_LEAVE_SUCCESS')).toEqual([]);
  });
});

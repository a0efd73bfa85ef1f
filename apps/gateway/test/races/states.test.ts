import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Fixture } from '../fixture.ts';
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
});

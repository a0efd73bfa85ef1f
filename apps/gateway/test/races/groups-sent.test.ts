import type { TestClient } from '@hooligram/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Fixture } from '../fixture.ts';

let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start({});
});

afterAll(() => fixture?.stop());

const keepAlive = 'CONN_KEEP_ALIVE';
const question = { after_groups: true };

/** What came of these, in order: the groups as their ids, the answers to keep-alives as theirs. */
function came(client: TestClient): (number | string)[] {
  return client.frames.flatMap(({ id, type, payload }): (number | string)[] => {
    if (type === 'GROUP_DELIVER_REQUEST') return [payload.group_id as number];
    if (type === `${keepAlive}_SUCCESS`) return ['after_groups' in payload ? `${id} after groups` : id];
    return [];
  });
}

describe('a keep-alive that asks for the groups', () => {
  test('is answered behind all states, however late the core reads them; others are answered at once', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const groups = [fixture.group([ada, bob]), fixture.group([ada, bob])];
    const client = await fixture.connect();
    const read = await fixture.beginSignIn(client, ada, groups);
    client.send(`${keepAlive}_REQUEST`, question, 'asked');
    await client.request(keepAlive, {}, 'plain');
    expect(came(client)).toEqual(['plain']);
    await read.succeed(fixture.snapshots(...groups));
    await client.waitFor(() => came(client).length === 4);
    const ids = groups.map(({ id }) => id);
    expect(came(client)).toEqual(['plain', ...ids, 'asked after groups']);
    await client.request(keepAlive, question, 'later');
    expect(came(client).at(-1)).toBe('later after groups');
  });

  test('is answered at once when there are no groups, and without the property before the sign-in', async () => {
    const client = await fixture.connect();
    await client.request(keepAlive, question, 'before');
    const read = await fixture.beginEmptySignIn(client, fixture.user());
    client.send(`${keepAlive}_REQUEST`, question, 'after');
    await read.succeed({ group_ids: [[]] });
    await client.waitFor(() => came(client).length === 2);
    expect(came(client)).toEqual(['before', 'after after groups']);
  });

  test('waits for the groups of a sign-in that was repeated meanwhile, not for those of the one before', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    const client = await fixture.connect();
    const first = await fixture.beginSignIn(client, ada, [group]);
    client.send(`${keepAlive}_REQUEST`, question, 'asked');
    const second = await fixture.beginSignIn(client, ada, [group]);
    await first.succeed(fixture.snapshots(group));
    await client.roundTrip();
    expect(came(client)).not.toContain('asked after groups');
    await second.succeed(fixture.snapshots(group));
    await client.waitFor(() => came(client).includes('asked after groups'));
    expect(came(client).indexOf(group.id)).toBeLessThan(came(client).indexOf('asked after groups'));
  });

  test('waits alone: a newer one takes the place of the one before, which learns nothing', async () => {
    const ada = fixture.user();
    const client = await fixture.connect();
    const read = await fixture.beginEmptySignIn(client, ada);
    client.send(`${keepAlive}_REQUEST`, question, 'one');
    client.send(`${keepAlive}_REQUEST`, question, 'two');
    await client.next(({ id }) => id === 'one');
    await read.succeed({ group_ids: [[]] });
    await client.next(({ id }) => id === 'two');
    expect(came(client)).toEqual(['one', 'two after groups']);
  });

  test('is not answered when the groups cannot be read: the connection ends', async () => {
    const ada = fixture.user();
    const client = await fixture.connect();
    const read = await fixture.beginEmptySignIn(client, ada);
    client.send(`${keepAlive}_REQUEST`, question, 'asked');
    await read.refuse('server busy');
    expect(await client.closed).toMatchObject({ code: 1013 });
    expect(came(client)).toEqual([]);
  });
});

test('another value of after_groups is answered as if it were not there', async () => {
  const client = await fixture.connect();
  const request = await client.request(keepAlive, { after_groups: 'please' });
  expect([request.type, request.payload]).toEqual([`${keepAlive}_SUCCESS`, {}]);
});

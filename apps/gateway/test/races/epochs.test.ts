import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Fixture } from '../fixture.ts';

let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start({
    // One test waits for a repetition; the others answer before it, on a busy machine too.
    REQUEST_DEADLINE_MS: '4000',
    REQUEST_REPEAT_MS: '4500',
    DRAIN_SECONDS: '0',
    CURSOR_FLUSH_MS: '50',
  });
});

afterAll(() => fixture?.stop());

/** Ada and Bob in a group, and Bob has a request at the core: until that is answered he is not sent away. */
async function asking() {
  const [ada, bob] = [fixture.user(), fixture.user()];
  const group = fixture.group([ada, bob]);
  const [a, b] = [await fixture.connectAs(ada, [group]), await fixture.connectAs(bob, [group])];
  b.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: `of ${bob.sid}` });
  const request = await fixture.core.next('MESSAGING_SEND', ({ sid }) => sid === bob.sid);
  return { ada, a, bob, b, group, request };
}

test('a gateway learns of a new epoch from an answer, passes the answer on, and sends its clients away', async () => {
  const { a, b, request } = await asking();
  fixture.core.epoch += 1;
  await request.succeed({ message_id: 7 });
  expect(await b.client.next('MESSAGING_SEND_SUCCESS')).toMatchObject({ payload: { message_id: 7 } });
  for (const { client } of [a, b]) expect(await client.closed).toMatchObject({ code: 1012 });
});

test('a member of an epoch that is over is sent nothing of the next one, while still connected', async () => {
  const { ada, a, b, group, request } = await asking();
  const before = fixture.core.epoch;
  await tellOfNext();
  expect(await a.client.closed).toMatchObject({ code: 1012 });
  // The same group with the same version again, and without Bob.
  const now = Object.assign(fixture.group([ada]), { id: group.id });
  const again = await fixture.connectAs(ada, [now]);
  await fixture.core.publish.message(now.store());
  await again.has(now, 1);
  // What a core publishes in the epoch before reaches no client.
  const late = now.store();
  fixture.core.epoch = before;
  await fixture.core.publish.message(late);
  fixture.core.epoch += 1;
  await again.settled();
  expect(again.seqs(now)).toEqual([1]);
  await request.succeed({ message_id: 8 });
  expect(await b.client.closed).toMatchObject({ code: 1012 });
  expect(b.seqs(group)).toEqual([]);
});

test('what was read in a later epoch is not sent to a connection of the one before, which comes back', async () => {
  const user = fixture.user();
  const group = fixture.group([user]);
  const client = await fixture.connect();
  const read = await fixture.beginSignIn(client, user, [group]);
  // It waits for an answer, so it is not sent away yet.
  client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'unanswered' });
  await fixture.core.next('MESSAGING_SEND', ({ content }) => content === 'unanswered');
  fixture.core.epoch += 1;
  await read.succeed(fixture.snapshots(group));
  expect(await client.closed).toMatchObject({ code: 1013 });
  expect(client.received('GROUP_DELIVER_REQUEST')).toEqual([]);
  await fixture.connectAs(user, [group]);
});

test('an answer of an epoch that is over does not count: the request is written again, and the next answer holds', async () => {
  await tellOfNext();
  const user = fixture.user();
  const group = fixture.group([user]);
  const { client } = await fixture.connectAs(user, [group]);
  client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'twice' }, 'it');
  const isIt = ({ content }: { content: string }) => content === 'twice';
  const first = await fixture.core.next('MESSAGING_SEND', isIt);
  const now = fixture.core.epoch;
  fixture.core.epoch -= 1;
  await first.succeed({ message_id: 1 });
  fixture.core.epoch = now;
  const second = await fixture.core.next('MESSAGING_SEND', isIt);
  expect(second.request_id).toBe(first.request_id);
  await second.succeed({ message_id: 2 });
  expect(await client.next('MESSAGING_SEND_SUCCESS')).toMatchObject({ id: 'it', payload: { message_id: 2 } });
});

test('cursors say in which epoch they were acknowledged, also those of a connection of the epoch before', async () => {
  const { a, ada, b, bob, group, request } = await asking();
  const before = fixture.core.epoch;
  await fixture.core.publish.message(group.store());
  await b.has(group, 1);
  await a.has(group, 1);
  a.acknowledge(group, 1);
  expect((await fixture.nextCursors(ada)).params.epoch ?? 0).toBe(before);
  await tellOfNext();
  await a.client.closed;
  b.acknowledge(group, 1);
  expect((await fixture.nextCursors(bob)).params.epoch ?? 0).toBe(before);
  const carol = fixture.user();
  const theirs = fixture.group([carol]);
  const c = await fixture.connectAs(carol, [theirs]);
  await fixture.core.publish.message(theirs.store());
  await c.has(theirs, 1);
  c.acknowledge(theirs, 1);
  expect((await fixture.nextCursors(carol)).params.epoch).toBe(fixture.core.epoch);
  await request.succeed({ message_id: 9 });
});

/** The database is in another epoch, and the gateway has it from an answer to a stranger. */
async function tellOfNext(): Promise<void> {
  fixture.core.epoch += 1;
  const client = await fixture.connect();
  await (await fixture.requestSignIn(client, fixture.user())).refuse('no');
  await client.closed;
}

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Scene } from '../scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start({
    REQUEST_DEADLINE_MS: '700',
    REQUEST_REPEAT_MS: '800',
    DRAIN_SECONDS: '0',
    CURSOR_FLUSH_MS: '50',
  });
});

afterAll(() => scene?.stop());

/** Ada and Bob in a group, and Bob has a request at the core: until that is answered he is not sent away. */
async function asking() {
  const [ada, bob] = [scene.person(), scene.person()];
  const group = scene.group([ada, bob]);
  const [a, b] = [await scene.enter(ada, [group]), await scene.enter(bob, [group])];
  b.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: `of ${bob.sid}` });
  const asked = await scene.puppet.next('MESSAGING_SEND', ({ sid }) => sid === bob.sid);
  return { ada, a, bob, b, group, asked };
}

test('a gateway that nobody told of a new epoch learns of it from an answer, gives it, and sends its clients away', async () => {
  const { a, b, asked } = await asking();
  scene.puppet.epoch += 1;
  await asked.succeed({ message_id: 7 });
  expect(await b.client.next('MESSAGING_SEND_SUCCESS')).toMatchObject({ payload: { message_id: 7 } });
  for (const { client } of [a, b]) expect(await client.closed).toMatchObject({ code: 1012 });
});

test('who was a member in an epoch that is over is given nothing of the next one, while still connected', async () => {
  const { ada, a, b, group, asked } = await asking();
  const before = scene.puppet.epoch;
  await tellOfNext();
  expect(await a.client.closed).toMatchObject({ code: 1012 });
  // The same group with the same version again, and without Bob.
  const now = Object.assign(scene.group([ada]), { id: group.id });
  const again = await scene.enter(ada, [now]);
  await scene.puppet.publish.message(now.store());
  await again.has(now, 1);
  // What a core publishes that is behind is given to nobody.
  const late = now.store();
  scene.puppet.epoch = before;
  await scene.puppet.publish.message(late);
  scene.puppet.epoch += 1;
  await again.settled();
  expect(again.seqs(now)).toEqual([1]);
  await asked.succeed({ message_id: 8 });
  expect(await b.client.closed).toMatchObject({ code: 1012 });
  expect(b.seqs(group)).toEqual([]);
});

test('what was read in a later epoch is not given to a connection of before: it comes back', async () => {
  const person = scene.person();
  const group = scene.group([person]);
  const client = await scene.connect();
  const read = await scene.beginSignIn(client, person, [group]);
  // It waits for an answer, so it is not sent away yet.
  client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'unanswered' });
  await scene.puppet.next('MESSAGING_SEND', ({ content }) => content === 'unanswered');
  scene.puppet.epoch += 1;
  await read.succeed(scene.read(group));
  expect(await client.closed).toMatchObject({ code: 1013 });
  expect(client.received('GROUP_DELIVER_REQUEST')).toEqual([]);
  await scene.enter(person, [group]);
});

test('an answer of an epoch that is over is none: the request is asked again, and the next answer holds', async () => {
  await tellOfNext();
  const person = scene.person();
  const group = scene.group([person]);
  const { client } = await scene.enter(person, [group]);
  client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'twice' }, 'it');
  const isIt = ({ content }: { content: string }) => content === 'twice';
  const first = await scene.puppet.next('MESSAGING_SEND', isIt);
  const now = scene.puppet.epoch;
  scene.puppet.epoch -= 1;
  await first.succeed({ message_id: 1 });
  scene.puppet.epoch = now;
  const second = await scene.puppet.next('MESSAGING_SEND', isIt);
  expect(second.request_id).toBe(first.request_id);
  await second.succeed({ message_id: 2 });
  expect(await client.next('MESSAGING_SEND_SUCCESS')).toMatchObject({ id: 'it', payload: { message_id: 2 } });
});

test('cursors say in which epoch they were acknowledged, also those of a connection that is from before', async () => {
  const { a, ada, b, bob, group, asked } = await asking();
  const before = scene.puppet.epoch;
  await scene.puppet.publish.message(group.store());
  await b.has(group, 1);
  await a.has(group, 1);
  a.acknowledge(group, 1);
  expect((await scene.nextCursors(ada)).params.epoch ?? 0).toBe(before);
  await tellOfNext();
  await a.client.closed;
  b.acknowledge(group, 1);
  expect((await scene.nextCursors(bob)).params.epoch ?? 0).toBe(before);
  const carol = scene.person();
  const theirs = scene.group([carol]);
  const c = await scene.enter(carol, [theirs]);
  await scene.puppet.publish.message(theirs.store());
  await c.has(theirs, 1);
  c.acknowledge(theirs, 1);
  expect((await scene.nextCursors(carol)).params.epoch).toBe(scene.puppet.epoch);
  await asked.succeed({ message_id: 9 });
});

/** The database is in another epoch, and the gateway has it from an answer to a stranger. */
async function tellOfNext(): Promise<void> {
  scene.puppet.epoch += 1;
  const client = await scene.connect();
  await (await scene.askSignIn(client, scene.person())).refuse('no');
  await client.closed;
}

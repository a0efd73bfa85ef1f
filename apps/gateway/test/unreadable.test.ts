import { type BusLog, connectRedis } from '@hooligram/bus';
import { metrics } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, Scene } from './scene.ts';

const silent: BusLog = { info() {}, warn() {}, error() {} };
/** What no release publishes, on whichever channel it stands. */
const rubbish = [
  's\n{"group_id":1}',
  's\n{',
  's\nnull',
  'm 1\n',
  'm 1 2 3 x\n{}',
  'a\n[]',
  'n\n{"user_id":1}',
  'e\n"text"',
  'j\n{"user_id":1}',
];

let scene: Scene;
let redis: Awaited<ReturnType<typeof connectRedis>>;
beforeAll(async () => {
  scene = await Scene.start({});
  scene.answerPages();
  redis = await connectRedis(scene.system.redisUrl, { role: 'command', name: 'test', log: silent });
});
afterAll(async () => {
  redis?.disconnect();
  await scene?.stop();
});

async function publish(channel: string, ...texts: string[]): Promise<void> {
  for (const text of texts) await redis.publish(channel, text);
}

async function counted(channel: string): Promise<number> {
  const found = await metrics(scene.system.gateway(0).adminUrl);
  return found.value('hooligram_gateway_publications_unreadable_total', { channel });
}

test('rubbish on a group’s channel is counted, and what it may have stood for is fetched', async () => {
  const [ada, bob] = [scene.person(), scene.person()];
  const group = scene.group([ada, bob]);
  const a = await scene.enter(ada, [group]);
  // Stored, and published as something that cannot be read.
  const { seq } = group.store();
  await publish(scene.puppet.names.group(group.id), ...rubbish);
  await a.has(group, seq);
  expect(await counted('group')).toBe(rubbish.length);
  const next = group.store();
  await scene.puppet.publish.message(next);
  await a.has(group, next.seq);
  expect(a.seqs(group)).toEqual([seq, next.seq]);
});

test('rubbish on a user’s channel is counted, and the groups to which they may have been added are looked for', async () => {
  const [ada, bob] = [scene.person(), scene.person()];
  const a = await scene.enter(ada);
  const group = scene.group([ada, bob]);
  await publish(scene.puppet.names.user(ada.userId), ...rubbish);
  const asked = await scene.puppet.next('GROUP_IDS', ({ user_ids }) => user_ids.includes(ada.userId));
  expect(await counted('user')).toBe(rubbish.length);
  await asked.succeed({ group_ids: [[scene.beacon(ada).id, group.id]] });
  await (await scene.nextRead(ada)).succeed(scene.read(group));
  await a.hasState(group, 1);
});

test('rubbish among the answers of a gateway is counted, and every sound answer arrives', async () => {
  const [ada, bob] = [scene.person(), scene.person()];
  const group = scene.group([ada, bob]);
  const a = await scene.enter(ada, [group]);
  a.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'text' }, 'one');
  const { node, ref, succeed } = await scene.puppet.next('MESSAGING_SEND');
  const channel = scene.puppet.names.gateway(node);
  const texts = [
    '{',
    'null',
    '7',
    '[null]',
    `[{"ref":${ref},"ok":true,"answer":{}}]`,
    '[{"ref":"x","ok":false}]',
  ];
  await publish(channel, ...texts);
  await succeed({ message_id: group.store().message_id });
  expect(await a.client.next('MESSAGING_SEND_SUCCESS')).toMatchObject({ id: 'one' });
  expect(await counted('answers')).toBe(texts.length);
});

test('rubbish on the channel of all gateways is counted, and has nothing written again', async () => {
  const a = await scene.enter(scene.person());
  const before = await counted('gateways');
  await publish(scene.puppet.names.gateways, '{', '', 'LOST');
  await a.settled();
  await eventually(async () => (await counted('gateways')) === before + 3, 'all is counted');
  const found = await metrics(scene.system.gateway(0).adminUrl);
  expect(found.value('hooligram_gateway_requests_repeated_total')).toBe(0);
});

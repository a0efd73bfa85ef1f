import { type BusLog, connectRedis } from '@hooligram/bus';
import { metrics } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, Fixture } from './fixture.ts';

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

let fixture: Fixture;
let redis: Awaited<ReturnType<typeof connectRedis>>;
beforeAll(async () => {
  fixture = await Fixture.start({});
  fixture.answerPages();
  redis = await connectRedis(fixture.system.redisUrl, { role: 'command', name: 'test', log: silent });
});
afterAll(async () => {
  redis?.disconnect();
  await fixture?.stop();
});

async function publish(channel: string, ...texts: string[]): Promise<void> {
  for (const text of texts) await redis.publish(channel, text);
}

async function counted(channel: string): Promise<number> {
  const found = await metrics(fixture.system.gateway(0).adminUrl);
  return found.value('hooligram_gateway_publications_unreadable_total', { channel });
}

test('rubbish on a group’s channel is counted, and what it may have stood for is fetched', async () => {
  const [ada, bob] = [fixture.user(), fixture.user()];
  const group = fixture.group([ada, bob]);
  const a = await fixture.connectAs(ada, [group]);
  // Stored, and published as something that cannot be read.
  const { seq } = group.store();
  await publish(fixture.core.names.group(group.id), ...rubbish);
  await a.has(group, seq);
  await eventually(async () => (await counted('group')) === rubbish.length, 'all is counted');
  const next = group.store();
  await fixture.core.publish.message(next);
  await a.has(group, next.seq);
  expect(a.seqs(group)).toEqual([seq, next.seq]);
});

test('rubbish on a user’s channel is counted, and the groups to which they may have been added are looked for', async () => {
  const [ada, bob] = [fixture.user(), fixture.user()];
  const a = await fixture.connectAs(ada);
  const group = fixture.group([ada, bob]);
  const looking = fixture.core.next('GROUP_IDS', ({ user_ids }) => user_ids.includes(ada.userId));
  await publish(fixture.core.names.user(ada.userId), ...rubbish);
  const request = await looking;
  await eventually(async () => (await counted('user')) === rubbish.length, 'all is counted');
  await request.succeed({ group_ids: [[fixture.sentinel(ada).id, group.id]] });
  await (await fixture.nextRead(ada)).succeed(fixture.snapshots(group));
  await a.hasState(group, 1);
});

test('rubbish among the answers of a gateway is counted, and every sound answer arrives', async () => {
  const [ada, bob] = [fixture.user(), fixture.user()];
  const group = fixture.group([ada, bob]);
  const a = await fixture.connectAs(ada, [group]);
  a.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'text' }, 'one');
  const { node, ref, succeed } = await fixture.core.next('MESSAGING_SEND');
  const channel = fixture.core.names.gateway(node);
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

test('rubbish on the channel of all gateways is counted, and no request is written again', async () => {
  const a = await fixture.connectAs(fixture.user());
  const before = await counted('gateways');
  await publish(fixture.core.names.gateways, '{', '', 'LOST');
  await a.settled();
  await eventually(async () => (await counted('gateways')) === before + 3, 'all is counted');
  const found = await metrics(fixture.system.gateway(0).adminUrl);
  expect(found.value('hooligram_gateway_requests_repeated_total')).toBe(0);
});

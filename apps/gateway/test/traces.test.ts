import {
  connect,
  metrics,
  type ReceivedFrame,
  startSystem,
  type TestClient,
  type TestSystem,
  uniqueSid,
  until,
} from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { attributeOf, Collector } from './collector.ts';

let collector: Collector;
let system: TestSystem;
let ada: TestClient;
let bob: TestClient;
const sids = [uniqueSid(), uniqueSid()] as const;
let group_id = 0;

beforeAll(async () => {
  collector = await Collector.start();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20let%20me',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    // Nothing is delivered again because a busy machine acknowledged it late.
    DELIVERY_ACK_DEADLINE_MS: '600000',
  };
  system = await startSystem({ gateways: 0, cores: 1, env });
  await system.addGateway({ OTEL_SERVICE_NAME: 'a', OTEL_TRACES_SAMPLER: 'always_on' });
  await system.addGateway({ OTEL_SERVICE_NAME: 'b', OTEL_TRACES_SAMPLER: 'always_off' });
  ada = await connect(system.gateway(0).url);
  bob = await connect(system.gateway(1).url);
  await ada.signIn(sids[0]);
  await bob.signIn(sids[1]);
  const created = await ada.requestOk('GROUP_CREATE', { group_name: '', member_sids: [...sids] });
  group_id = created.payload.group_id ?? 0;
  await Promise.all([ada.next('GROUP_DELIVER_REQUEST'), bob.next('GROUP_DELIVER_REQUEST')]);
});

afterAll(async () => {
  await system?.stop();
  collector?.stop();
});

async function send(sender: TestClient, content: string): Promise<void> {
  await sender.requestOk('MESSAGING_SEND', { group_id, content });
  for (const client of [ada, bob]) {
    await client.next(
      ({ type, payload }) => type === 'MESSAGING_DELIVER_REQUEST' && payload.content === content,
    );
  }
}

test('one trace follows a message from its socket to each cursor, and one that is not sampled has none', async () => {
  await send(bob, 'of a gateway that samples nothing');
  await send(ada, 'traced');
  const delivered = (gateway: string) => [
    `          ${gateway}: deliver`,
    `            ${gateway}: acknowledge`,
    `              ${gateway}: cursor`,
    `                ${gateway}: redis write`,
    '                hooligram-core: batch CURSOR_RAISE',
  ];
  const tree = [
    'a: MESSAGING_SEND',
    '  a: request',
    '    a: redis write',
    '    hooligram-core: batch MESSAGING_SEND',
    '      hooligram-core: publish',
    ...[...delivered('a'), ...delivered('b')].map((line) => line.slice(2)),
    '      hooligram-core: statement',
  ];
  await until('all spans have come', () => collector.spans.length >= tree.length);
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(collector.treeOf(collector.spans[0]?.traceId ?? '')).toEqual(tree);
});

test('what is sent again is in the trace of its message', async () => {
  await bob.close();
  const mute = await connect(system.gateway(1).url, { acknowledge: false });
  await mute.signIn(sids[1]);
  // From then on the gateway hears what is published to the group.
  await mute.request('CONN_KEEP_ALIVE', { after_groups: true });
  const known = collector.spans.length;
  await ada.requestOk('MESSAGING_SEND', { group_id, content: 'again' });
  const isIt = ({ type, payload }: ReceivedFrame) =>
    type === 'MESSAGING_DELIVER_REQUEST' && payload.content === 'again';
  await mute.next(isIt);
  bob = await connect(system.gateway(1).url);
  await bob.signIn(sids[1]);
  await bob.next(isIt);
  const ofBob = (name: string) =>
    collector.spans.slice(known).filter((span) => span.service === 'b' && span.name === name);
  const [acknowledged] = await until(
    'it is acknowledged',
    () => ofBob('acknowledge'),
    (spans) => spans.length > 0,
  );
  const delivered = ofBob('deliver');
  expect(new Set(delivered.map(({ traceId }) => traceId))).toEqual(new Set([acknowledged?.traceId]));
  const ways = delivered.map((span) => [span.spanId, attributeOf(span, 'hooligram.to')] as const);
  expect(ways[0]?.[1]).toBe('group');
  expect(new Map(ways).get(acknowledged?.parentSpanId ?? '')).toBe('connection');
});

test('a collector that is away holds up no message, and is one line of the log, with counts behind it', async () => {
  collector.stop();
  const lost = async () =>
    (await metrics(system.gateway(0).adminUrl)).value('hooligram_spans_total', { outcome: 'lost' });
  await send(ada, 'first');
  await until('spans are lost', lost);
  await send(ada, 'second');
  const lines = system
    .gateway(0)
    .log()
    .split('\n')
    .filter((line) => line.includes('"part":"traces"') && !line.includes('"repeated"'));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('fails and is tried again');
  await until('it is ready', () => system.gateway(0).isReady());
});

import { closeReasons } from '@hooligram/protocol';
import { connect, type ServiceProcess, startSystem, uniqueSid } from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { FaultyRedisProxy } from '../faulty-redis-proxy.ts';
import { eventually, Fixture, metric } from '../fixture.ts';

/** The gateway whose patience ends soon; that of the other one outlasts a test. */
const impatient = 1;
/** Writes no request again while a test runs. */
const patient = 2;

let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start(
    { REQUEST_DEADLINE_MS: '700', REQUEST_REPEAT_MS: '800', REQUEST_PATIENCE_MS: '200000' },
    {
      // Long enough for a sign-in, on a busy machine too.
      REQUEST_DEADLINE_MS: '3000',
      REQUEST_REPEAT_MS: '4000',
      REQUEST_PATIENCE_MS: '8000',
      REQUEST_SETTLE_MS: '500',
    },
    {},
  );
});

// A test that failed half way leaves nothing to the next one.
afterEach(() => {
  for (const proxy of fixture.redisProxies) proxy.reset();
});

afterAll(() => fixture?.stop());

async function present(gateway = 0) {
  const ada = fixture.user();
  const group = fixture.group([ada]);
  return { group, a: await fixture.connectAs(ada, [group], gateway) };
}

const writesFailed = (gateway: ServiceProcess, reason: string) =>
  metric(gateway, 'gateway_request_writes_failed_total', { reason });

/** @returns the gateway, which has noticed that it cannot ask */
async function cutOff(index = 0) {
  const gateway = fixture.system.gateway(index);
  fixture.redisProxy(index).cut('command');
  await eventually(async () => !(await gateway.isReady()), 'the gateway has noticed');
  return gateway;
}

describe('without its command connection to Redis', () => {
  test('a gateway answers a request that never left with FAILURE server busy when its patience ends', async () => {
    const { a, group } = await present(impatient);
    const gateway = await cutOff(impatient);
    const send = { group_id: group.id, content: 'nobody hears this' };
    expect(await a.client.request('MESSAGING_SEND', send)).toMatchObject({
      type: 'MESSAGING_SEND_FAILURE',
      payload: { errors: ['server busy'] },
    });
    await a.client.roundTrip();
    fixture.redisProxy(impatient).restore();
    await eventually(() => gateway.isReady(), 'the gateway has connected again');
    expect(fixture.core.received.filter(({ type }) => type === 'MESSAGING_SEND')).toHaveLength(0);
  });

  test('requests of that time go to the core once, as soon as the gateway is connected again', async () => {
    const { a, group } = await present(patient);
    const gateway = await cutOff(patient);
    const unsent = () => writesFailed(gateway, 'unsent');
    const before = await unsent();
    const id = a.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'heard later' });
    await a.client.roundTrip();
    await eventually(async () => (await unsent()) > before, 'the write is counted as unsent');
    fixture.redisProxy(patient).restore();
    const request = await fixture.core.next('MESSAGING_SEND', ({ content }) => content === 'heard later');
    await request.succeed({ message_id: 1 });
    await a.client.next((frame) => frame.type === 'MESSAGING_SEND_SUCCESS' && frame.id === id);
    expect(fixture.core.received.filter(({ type }) => type === 'MESSAGING_SEND')).toHaveLength(1);
  });

  test('what the gateway reads gives way to what clients send, though it waits longer, when all is written again', async () => {
    const { a, group } = await present(patient);
    const [bob, reader] = [fixture.user(), await fixture.connect(patient)];
    const other = fixture.group([bob]);
    await fixture.beginSignIn(reader, bob, [other]);
    a.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'me first' });
    const isIt = ({ content }: { content: string }) => content === 'me first';
    await fixture.core.next('MESSAGING_SEND', isIt);
    const before = fixture.core.received.length;
    await cutOff(patient);
    fixture.redisProxy(patient).restore();
    const [read, send] = await Promise.all([
      fixture.nextRead(bob),
      fixture.core.next('MESSAGING_SEND', isIt),
    ]);
    const types = fixture.core.received.slice(before).map(({ type }) => type);
    expect(types.indexOf('MESSAGING_SEND')).toBeLessThan(types.indexOf('REPLAY_GROUPS'));
    await send.succeed({ message_id: 8 });
    await read.succeed(fixture.snapshots(other));
    await a.client.next('MESSAGING_SEND_SUCCESS');
    await reader.next('GROUP_DELIVER_REQUEST');
  });

  test('a request whose answer is lost is written again under the same request_id, and its client gets one answer', async () => {
    const { a, group } = await present();
    const id = a.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'say again' });
    const isIt = ({ content }: { content: string }) => content === 'say again';
    const first = await fixture.core.next('MESSAGING_SEND', isIt);
    const second = await fixture.core.next('MESSAGING_SEND', isIt);
    // And again, for as long as a core can begin it.
    const third = await fixture.core.next('MESSAGING_SEND', isIt);
    expect([second.request_id, third.request_id]).toEqual([first.request_id, first.request_id]);
    await third.succeed({ message_id: 7 });
    await first.succeed({ message_id: 7 });
    await a.client.next((frame) => frame.type === 'MESSAGING_SEND_SUCCESS' && frame.id === id);
    await a.client.roundTrip();
    expect(a.client.frames.filter((frame) => frame.id === id)).toHaveLength(1);
  });

  test('a gateway closes with 1013 where a request may have left, for FAILURE could be a lie', async () => {
    const { a, group } = await present(impatient);
    const proxy = fixture.redisProxy(impatient);
    proxy.hold('command', 'toGateway');
    a.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'it did leave' });
    await fixture.core.next('MESSAGING_SEND', ({ content }) => content === 'it did leave');
    proxy.cut('command');
    const { code, reason } = closeReasons.outcomeUnknown;
    expect(await a.client.closed).toEqual({ code, reason });
    expect(a.client.frames.filter(({ type }) => type.startsWith('MESSAGING_SEND'))).toEqual([]);
    const gateway = fixture.system.gateway(impatient);
    expect(await writesFailed(gateway, 'uncertain')).toBeGreaterThan(0);
    proxy.release('command', 'toGateway');
    proxy.restore();
    await eventually(() => gateway.isReady(), 'the gateway has connected again');
  });
});

describe('while its subscriber connection is broken', () => {
  test('what was published is fetched as soon as the gateway is subscribed again, and arrives once and in order', async () => {
    const { a, group } = await present();
    fixture.redisProxy().cut('subscriber');
    await eventually(async () => (await fixture.listenersOf(group)) === 0, 'Redis has noticed');
    for (const message of group.storeMany(2)) await fixture.core.publish.message(message);
    fixture.answerPages();
    fixture.redisProxy().restore();
    await a.has(group, 2);
    await fixture.core.publish.message(group.store());
    await a.has(group, 3);
    expect(a.seqs(group)).toEqual([1, 2, 3]);
  });

  test('a second break in the middle of subscribing again does no harm', async () => {
    const { a, group } = await present();
    const channel = fixture.core.names.group(group.id);
    fixture.answerPages();
    for (let broken = 0; broken < 3; broken += 1) {
      fixture.redisProxy().forget();
      fixture.redisProxy().cut('subscriber');
      fixture.redisProxy().restore();
      await fixture.redisProxy().untilSent('subscriber', channel);
    }
    await eventually(async () => (await fixture.listenersOf(group)) === 1, 'the gateway listens again');
    await fixture.core.publish.message(group.store());
    await a.has(group, 1);
    await eventually(() => fixture.system.gateway(0).isReady(), 'the gateway hears itself');
  });
});

describe('a core whose connections to Redis broke', () => {
  test('reads and answers again by itself', async () => {
    const system = await startSystem({ gateways: 1, cores: 0 });
    const proxy = await FaultyRedisProxy.open(system.redisUrl);
    try {
      const core = await system.addCore({ REDIS_URL: proxy.url });
      const client = await connect(system.gateway(0).url);
      await client.register(uniqueSid());
      proxy.cut('blocking');
      proxy.cut('command');
      await eventually(async () => !(await core.isReady()), 'the core has noticed');
      proxy.restore();
      await client.register(uniqueSid());
    } finally {
      await system.stop();
      proxy.close();
    }
  });
});

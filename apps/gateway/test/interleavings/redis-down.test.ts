import { closeReasons } from '@hooligram/protocol';
import { connect, startSystem, uniqueSid } from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { RedisWire } from '../redis-wire.ts';
import { eventually, Scene } from '../scene.ts';

/** The gateway whose patience ends soon; that of the other one outlasts a test. */
const impatient = 1;

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start(
    { REQUEST_DEADLINE_MS: '700', REQUEST_REPEAT_MS: '800', REQUEST_PATIENCE_MS: '200000' },
    {
      REQUEST_DEADLINE_MS: '1500',
      REQUEST_REPEAT_MS: '2000',
      REQUEST_PATIENCE_MS: '4000',
      REQUEST_SETTLE_MS: '500',
    },
  );
});

// A test that failed half way leaves nothing to the next one.
afterEach(() => {
  for (const wire of scene.wires) wire.free();
});

afterAll(() => scene?.stop());

async function present(gateway = 0) {
  const ada = scene.person();
  const group = scene.group([ada]);
  return { group, a: await scene.enter(ada, [group], gateway) };
}

/** @returns the gateway, which has noticed that it cannot ask */
async function cutOff(index = 0) {
  const gateway = scene.system.gateway(index);
  scene.wire(index).cut('command');
  await eventually(async () => !(await gateway.isReady()), 'the gateway has noticed');
  return gateway;
}

describe('8: without its command connection to Redis', () => {
  test('a gateway says FAILURE server busy for what never left, when its patience ends', async () => {
    const { a, group } = await present(impatient);
    const gateway = await cutOff(impatient);
    const send = { group_id: group.id, content: 'nobody hears this' };
    expect(await a.client.request('MESSAGING_SEND', send)).toMatchObject({
      type: 'MESSAGING_SEND_FAILURE',
      payload: { errors: ['server busy'] },
    });
    await a.client.roundTrip();
    scene.wire(impatient).restore();
    await eventually(() => gateway.isReady(), 'the gateway has connected again');
    expect(scene.puppet.asked.filter(({ type }) => type === 'MESSAGING_SEND')).toHaveLength(0);
  });

  test('what was asked meanwhile goes to the core as soon as the gateway is connected again, once', async () => {
    const { a, group } = await present();
    await cutOff();
    const id = a.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'heard later' });
    await a.client.roundTrip();
    scene.wire().restore();
    const asked = await scene.puppet.next('MESSAGING_SEND', ({ content }) => content === 'heard later');
    await asked.succeed({ message_id: 1 });
    await a.client.next((frame) => frame.type === 'MESSAGING_SEND_SUCCESS' && frame.id === id);
    expect(scene.puppet.asked.filter(({ type }) => type === 'MESSAGING_SEND')).toHaveLength(1);
  });

  test('a request whose answer is lost is asked again under the same request_id, and its client hears one answer', async () => {
    const { a, group } = await present();
    const id = a.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'say again' });
    const isIt = ({ content }: { content: string }) => content === 'say again';
    const first = await scene.puppet.next('MESSAGING_SEND', isIt);
    const second = await scene.puppet.next('MESSAGING_SEND', isIt);
    expect(second.request_id).toBe(first.request_id);
    await second.succeed({ message_id: 7 });
    await first.succeed({ message_id: 7 });
    await a.client.next((frame) => frame.type === 'MESSAGING_SEND_SUCCESS' && frame.id === id);
    await a.client.roundTrip();
    expect(a.client.frames.filter((frame) => frame.id === id)).toHaveLength(1);
  });

  test('a gateway closes with 1013 where a request may have left, for FAILURE could be a lie', async () => {
    const { a, group } = await present(impatient);
    const wire = scene.wire(impatient);
    wire.hold('command', 'toGateway');
    a.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'it did leave' });
    await scene.puppet.next('MESSAGING_SEND', ({ content }) => content === 'it did leave');
    wire.cut('command');
    const { code, reason } = closeReasons.outcomeUnknown;
    expect(await a.client.closed).toEqual({ code, reason });
    expect(a.client.frames.filter(({ type }) => type.startsWith('MESSAGING_SEND'))).toEqual([]);
    wire.release('command', 'toGateway');
    wire.restore();
    await eventually(() => scene.system.gateway(impatient).isReady(), 'the gateway has connected again');
  });
});

describe('while its subscriber connection is broken', () => {
  test('what was published is fetched as soon as it listens again, and arrives once and in order', async () => {
    const { a, group } = await present();
    scene.wire().cut('subscriber');
    await eventually(async () => (await scene.listenersOf(group)) === 0, 'Redis has noticed');
    for (const message of group.storeMany(2)) await scene.puppet.publish.message(message);
    scene.answerPages();
    scene.wire().restore();
    await a.has(group, 2);
    await scene.puppet.publish.message(group.store());
    await a.has(group, 3);
    expect(a.seqs(group)).toEqual([1, 2, 3]);
  });

  test('a second break in the middle of subscribing again does no harm', async () => {
    const { a, group } = await present();
    const channel = scene.puppet.names.group(group.id);
    scene.answerPages();
    for (let broken = 0; broken < 3; broken += 1) {
      scene.wire().forget();
      scene.wire().cut('subscriber');
      scene.wire().restore();
      await scene.wire().hears('subscriber', channel);
    }
    await eventually(async () => (await scene.listenersOf(group)) === 1, 'the gateway listens again');
    await scene.puppet.publish.message(group.store());
    await a.has(group, 1);
    await eventually(() => scene.system.gateway(0).isReady(), 'the gateway hears itself');
  });
});

describe('a core whose connections to Redis broke', () => {
  test('reads and answers again by itself', async () => {
    const system = await startSystem({ gateways: 1, cores: 0 });
    const wire = await RedisWire.open(system.redisUrl);
    try {
      const core = await system.addCore({ REDIS_URL: wire.url });
      const client = await connect(system.gateway(0).url);
      await client.register(uniqueSid());
      wire.cut('blocking');
      wire.cut('command');
      await eventually(async () => !(await core.isReady()), 'the core has noticed');
      wire.restore();
      await client.register(uniqueSid());
    } finally {
      await system.stop();
      wire.close();
    }
  });
});

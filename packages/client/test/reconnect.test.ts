import { describe, expect, test } from '@jest/globals';
import { type ConnectionState, memoryStorage } from '../src/index.ts';
import { code, contents, createFixture, heard, type Member, next, reached, signUp } from './fixture.ts';

const fixture = createFixture({
  gateways: 1,
  cores: 1,
  env: { DELIVERY_ACK_DEADLINE_MS: '300' },
  gatewayEnv: { CURSOR_FLUSH_MS: '50' },
  coreEnv: {
    DELIVERY_RETRY_MS: '200',
    DELIVERY_RETRY_GROWTH: '1',
    DELIVERY_RETRY_JITTER: '0',
    // More than a client misses that gets no CPU for a second or two.
    DELIVERY_ATTEMPTS_MAX: '12',
  },
});

const gateway = (index: number) => fixture.system.gateway(index);

/** Ada and Bob, who are in a group. */
async function pair(adasUrl: string, bobsUrl: string, adasOptions = {}) {
  const [ada, bob] = [await fixture.member(adasUrl, adasOptions), await fixture.member(bobsUrl)];
  const received = next(bob, 'group');
  const groupId = await ada.client.createGroup('', [bob.sid]);
  await received;
  return { ada, bob, groupId };
}

function waiting(member: Member): Promise<ConnectionState> {
  return next(member, 'state', ({ status }) => status === 'waiting');
}

describe('a client whose connection ends', () => {
  test('because the gateway is killed comes back to the next one, with all that was said meanwhile', async () => {
    const { ada, bob, groupId } = await pair(gateway(0).url, gateway(0).url);
    const lost = Promise.all([waiting(ada), waiting(bob)]);
    const said = Array.from({ length: 30 }, (_, index) => `message ${index}`);
    const before = said.slice(0, 10).map((content) => ada.client.send(groupId, content));
    await Promise.race(before);
    await gateway(0).kill();
    for (const state of await lost) expect(state).toMatchObject({ code: 1006 });
    const after = said.slice(10).map((content) => ada.client.send(groupId, content));
    await gateway(0).start();
    const ids = await Promise.all([...before, ...after]);
    expect(new Set(ids).size).toBe(30);
    for (const member of [ada, bob]) {
      await heard(member, said);
      expect(contents(member)).toEqual(said);
    }
  });

  test('because the gateway is drained (1012) goes to another one soon, and loses nothing', async () => {
    const draining = await fixture.system.addGateway({ DRAIN_SECONDS: '1' });
    const way = await fixture.gate(fixture.system.gateways.indexOf(draining));
    const { ada, bob, groupId } = await pair(way.url, gateway(0).url);
    const lost = waiting(ada);
    const said = Array.from({ length: 40 }, (_, index) => `message ${index}`);
    const sent = said.map((content) => ada.client.send(groupId, content));
    await sent[0];
    way.target = gateway(0).url;
    draining.process.kill('SIGTERM');
    const state = await lost;
    expect(state).toMatchObject({ code: 1012, reason: 'server is restarting' });
    expect(state.status === 'waiting' && state.retryInMs).toBeLessThanOrEqual(500);
    await Promise.all(sent);
    for (const member of [ada, bob]) {
      await heard(member, said);
      expect(contents(member)).toEqual(said);
    }
    expect(await draining.process.exited).toBe('exit code 0');
  });

  test('because it handles nothing (4408) comes back at once, and is given the message again', async () => {
    const { ada, bob, groupId } = await pair(gateway(0).url, gateway(0).url);
    let isBroken = true;
    let times = 0;
    bob.client.on('message', () => {
      times += 1;
      if (isBroken) throw new Error('no room left on this device');
    });
    const lost = waiting(bob);
    await ada.client.send(groupId, 'are you there?');
    expect(await lost).toEqual({
      status: 'waiting',
      code: 4408,
      reason: 'deliveries were not acknowledged',
      retryInMs: 0,
    });
    expect(times).toBeGreaterThan(2);
    isBroken = false;
    const again = next(bob, 'message');
    await reached(bob, 'signed-in');
    expect(await again).toMatchObject({ content: 'are you there?' });
  });

  test('without a close frame, as when the gateway freezes, notices by itself', async () => {
    const frozen = await fixture.system.addGateway();
    const way = await fixture.gate(fixture.system.gateways.indexOf(frozen));
    // Also while she signs up: a busy gateway answers late.
    const fast = { keepAliveMs: 200, keepAliveTimeoutMs: 5_000 };
    const { ada, bob, groupId } = await pair(way.url, gateway(0).url, fast);
    const lost = waiting(ada);
    frozen.freeze();
    way.target = gateway(0).url;
    const sent = ada.client.send(groupId, 'after the frost');
    expect(await lost).toMatchObject({ code: 1006, reason: 'no answer to a keep-alive' });
    await sent;
    await heard(bob, ['after the frost']);
    frozen.resume();
    expect(contents(bob)).toEqual(['after the frost']);
  });

  test('with 1008 does not come back by itself, and does when it is asked to', async () => {
    const way = await fixture.gate(0);
    const { ada, groupId } = await pair(way.url, gateway(0).url);
    const stopped = next(ada, 'state', ({ status }) => status === 'stopped');
    way.close(1008, 'too many bad frames');
    expect(await stopped).toEqual({ status: 'stopped', code: 1008, reason: 'too many bad frames' });
    const sent = ada.client.send(groupId, 'later');
    expect(way.connections).toBe(1);
    ada.client.connect();
    await sent;
    expect(way.connections).toBe(2);
  });
});

test('a quiet connection is kept alive', async () => {
  const way = await fixture.gate(0);
  const ada = await fixture.member(way.url, { keepAliveMs: 50, keepAliveTimeoutMs: 5_000 });
  const keptAlive = () => way.fromClients.filter(({ type }) => type === 'CONN_KEEP_ALIVE_REQUEST').length;
  const thrice = new Promise<void>((resolve) => {
    way.onClientFrame = () => {
      if (keptAlive() >= 3) resolve();
      return undefined;
    };
  });
  await thrice;
  expect(way.connections).toBe(1);
  expect(ada.client.state.status).toBe('signed-in');
});

test('a credential that is refused later is forgotten, reported, and what waits is sent after the next sign-in', async () => {
  const way = await fixture.gate(0);
  const storage = memoryStorage();
  const ada = await fixture.member(way.url, { storage });
  const bob = await fixture.member(gateway(0).url);
  const groupId = await ada.client.createGroup('', [bob.sid]);
  const errors = ['wrong phone number or verification code'];
  way.onClientFrame = ({ id, type }) =>
    type === 'AUTHORIZATION_SIGN_IN_REQUEST'
      ? { instead: { id, type: 'AUTHORIZATION_SIGN_IN_FAILURE', payload: { errors } } }
      : undefined;
  const refused = next(ada, 'signInRefused');
  way.close(1001);
  expect(await refused).toEqual(errors);
  await reached(ada, 'connected');
  expect((await storage.load()).has('credential')).toBe(false);
  const sent = ada.client.send(groupId, 'I am back');
  way.onClientFrame = () => undefined;
  await signUp(ada);
  await sent;
  await heard(bob, ['I am back']);
});

test('a session that is ended because the number was verified again (4401) is reported, and not tried again and again', async () => {
  const way = await fixture.gate(0);
  const storage = memoryStorage();
  const ada = await fixture.member(way.url, { storage });
  const kept = (await storage.load()).get('credential') ?? '';
  expect(JSON.parse(kept).verification_code).toHaveLength(36);
  const closed = waiting(ada);
  const refused = next(ada, 'signInRefused');
  const elsewhere = fixture.client(gateway(0).url, {}, { ...ada.credential, verification_code: code });
  await elsewhere.client.requestCode(elsewhere.credential);
  await elsewhere.client.submitCode(code);
  expect(await closed).toMatchObject({ code: 4401, reason: 'the credential of this session has ended' });
  await elsewhere.client.signIn(elsewhere.credential);
  expect(await refused).toEqual(['wrong phone number or verification code']);
  await reached(ada, 'connected');
  expect((await storage.load()).has('credential')).toBe(false);
  const signIns = way.fromClients.filter(({ type }) => type === 'AUTHORIZATION_SIGN_IN_REQUEST');
  expect([way.connections, signIns.length]).toEqual([2, 2]);
});

import type { Socket } from 'node:net';
import { closeReasons, phoneOf, readTryAgain } from '@hooligram/protocol';
import {
  connect,
  metrics,
  type ServiceProcess,
  startSystem,
  type TestClient,
  type TestSystem,
  uniqueSid,
} from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, metric } from './fixture.ts';
import { ask, clientFrame, upgradeRequest } from './raw-http.ts';

/** Buckets that do not fill again while a test runs. */
const limits = {
  LIMITS_ENABLED: 'true',
  LIMIT_CONNECTIONS_PER_ADDRESS: '4',
  LIMIT_UNSIGNED_CONNECTIONS_PER_ADDRESS: '3',
  LIMIT_HANDSHAKES_PER_ADDRESS: '8/36000',
  LIMIT_CONNECTIONS_PER_USER: '2',
  LIMIT_SIGN_INS_PER_USER: '3/3600',
  LIMIT_UNSIGNED_FRAMES: '10/36000',
  LIMIT_UNSIGNED_FRAMES_PER_ADDRESS: '3/36000',
  LIMIT_CODE_REQUESTS_PER_ADDRESS: '6/36000',
  LIMIT_UNSIGNED_BYTES: '131072/36000',
  LIMIT_FRAMES_PER_CONNECTION: '30/36000',
  LIMIT_BYTES_PER_CONNECTION: '200000/36000',
  LIMIT_FRAMES_PER_USER: '40/36000',
  LIMIT_BYTES_PER_USER: '260000/36000',
  LIMIT_FRAMES_PER_ADDRESS: '50/36000',
  LIMIT_BYTES_PER_ADDRESS: '280000/36000',
  LIMIT_ACKNOWLEDGEMENTS_PER_CONNECTION: '100/36000',
  LIMIT_UNKNOWN_ACKNOWLEDGEMENTS: '5/36000',
};

/** Of WebSocket frames. */
const text = 1;
const continuation = 0;

let system: TestSystem;
let gateway: ServiceProcess;
let lastSource = 1;
let open: TestClient[] = [];

beforeAll(async () => {
  system = await startSystem({ gateways: 0, cores: 1 });
  gateway = await system.addGateway(limits);
});

afterAll(() => system?.stop());

afterEach(() => {
  for (const client of open) client.terminate();
  open = [];
});

/** An address that no other test uses. */
function source(): string {
  lastSource += 1;
  return `127.0.7.${lastSource}`;
}

async function from(localAddress = source(), to = gateway): Promise<TestClient> {
  const client = await connect(to.url, { localAddress });
  open.push(client);
  return client;
}

async function signedIn(sid = uniqueSid(), localAddress = source(), to = gateway): Promise<TestClient> {
  const client = await from(localAddress, to);
  await client.signIn(sid);
  return client;
}

/** A further connection of a user who is verified: to verify again would end the first one. */
async function signedInAgain(sid: string, to = gateway): Promise<TestClient> {
  const client = await from(source(), to);
  await client.authorize(sid);
  return client;
}

async function limited(limit: string, of = gateway): Promise<number> {
  const { value } = await metrics(of.adminUrl);
  return value('hooligram_gateway_limited_total', { limit });
}

function keepAlives(client: TestClient, count: number, more = ''): void {
  for (let n = 0; n < count; n += 1) client.send('CONN_KEEP_ALIVE_REQUEST', { more }, `${n}`);
}

/** An error that says when to try again: the bucket fills while a busy machine takes its time. */
function tooManyRequests(error: string | undefined, seconds: number): void {
  const found = readTryAgain(error ?? '');
  expect(found.text).toBe('too many requests');
  expect(found.seconds).toBeLessThanOrEqual(seconds);
  expect(found.seconds).toBeGreaterThan(seconds - 60);
}

/** Resolves when it is closed, also by an error: what a gateway cuts may be a reset. */
function closedSocket(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve));
}

function closedWith({ code, reason }: { code: number; reason: string }) {
  return { code, reason };
}

test('every limit has its metric from the beginning', async () => {
  const fresh = await system.addGateway({ LIMITS_ENABLED: 'true' });
  const { text } = await metrics(fresh.adminUrl);
  const series = text.match(/^hooligram_gateway_limited_total\{.* 0$/gm) ?? [];
  expect(series).toHaveLength(27);
});

test('a client within the default limits is refused nothing: 1,000 messages and as many acknowledgements at once', async () => {
  const usual = await system.addGateway({ LIMITS_ENABLED: 'true' });
  const [client, other] = [await from(source(), usual), await from(source(), usual)];
  const [sid, otherSid] = [uniqueSid(), uniqueSid()];
  await client.signIn(sid);
  await other.signIn(otherSid);
  const created = await client.requestOk('GROUP_CREATE', { group_name: '', member_sids: [sid, otherSid] });
  const { group_id } = created.payload;
  for (let n = 0; n < 1_000; n += 1) client.send('MESSAGING_SEND_REQUEST', { group_id, content: `${n}` });
  for (const one of [client, other]) {
    await one.waitFor(() => one.received('MESSAGING_DELIVER_REQUEST').length === 1_000);
  }
  expect(client.received('MESSAGING_SEND_FAILURE')).toEqual([]);
});

describe('what a connection sends beyond its frames', () => {
  test('is refused with when to try again, and when it goes on it is closed', async () => {
    const client = await from();
    keepAlives(client, 10);
    client.send('GROUP_LEAVE_REQUEST', { group_id: 1 }, 'leave');
    client.send('VERIFICATION_SUBMIT_CODE_REQUEST', { verification_code: '1' }, 'submit');
    client.sendRaw('no frame');
    client.send('CONN_KEEP_ALIVE_REQUEST', {}, 'keep');
    await client.next('CONN_KEEP_ALIVE_FAILURE');
    expect(client.received('CONN_KEEP_ALIVE_SUCCESS')).toHaveLength(10);
    const refused = client.frames.slice(10);
    expect(refused).toMatchObject([
      { type: 'GROUP_LEAVE_FAILURE', id: 'leave', payload: { errors: ['not signed in'] } },
      { type: 'VERIFICATION_SUBMIT_CODE_FAILURE', id: 'submit' },
      { type: 'CONN_FRAME_FAILURE', id: '' },
      { type: 'CONN_KEEP_ALIVE_FAILURE', id: 'keep' },
    ]);
    for (const { payload } of refused.slice(1, 3)) {
      expect(payload.errors).toHaveLength(1);
      tooManyRequests(payload.errors?.[0], 3_600);
    }
    keepAlives(client, 10);
    expect(await client.closed).toEqual(closedWith(closeReasons.tooFast));
    expect(await limited('unsigned_frames')).toBe(11);
  });

  test('counts for all connections of an address before their sign-in, which keeps no neighbour from it', async () => {
    const address = source();
    const [one, other] = [await from(address), await from(address)];
    keepAlives(one, 10);
    await one.waitFor(() => one.received('CONN_KEEP_ALIVE_SUCCESS').length === 10);
    keepAlives(other, 9);
    other.send('VERIFICATION_SUBMIT_CODE_REQUEST', { verification_code: '1' });
    const { payload } = await other.next('VERIFICATION_SUBMIT_CODE_FAILURE');
    tooManyRequests(payload.errors?.[0], 12_000);
    expect(await limited('address_unsigned_frames')).toBe(1);
    await (await from(address)).signIn(uniqueSid());
  });

  test('is refused after the sign-in, too, where it may send more', async () => {
    const client = await signedIn();
    keepAlives(client, 35);
    await client.waitFor(() => client.received('CONN_KEEP_ALIVE_FAILURE').length > 0);
    expect(client.received('CONN_KEEP_ALIVE_SUCCESS').length).toBe(30);
  });

  test('does not end with a new connection from the same address', async () => {
    const address = source();
    for (let round = 0; round < 6; round += 1) {
      const client = await from(address);
      keepAlives(client, 8);
      await client.waitFor(() => client.received('CONN_KEEP_ALIVE_SUCCESS').length === 8);
      client.terminate();
    }
    const seventh = await from(address);
    keepAlives(seventh, 3);
    await seventh.next('CONN_KEEP_ALIVE_FAILURE');
    expect(await limited('address_frames')).toBe(1);
    // It is nobody else's limit.
    await (await from()).roundTrip();
  });

  test('counts for all connections of a user together', async () => {
    const sid = uniqueSid();
    const [one, other] = [await signedIn(sid), await signedInAgain(sid)];
    keepAlives(one, 25);
    await one.waitFor(() => one.received('CONN_KEEP_ALIVE_SUCCESS').length === 25);
    keepAlives(other, 25);
    await other.waitFor(() => other.received('CONN_KEEP_ALIVE_FAILURE').length === 10);
    expect(await limited('user_frames')).toBe(10);
  });
});

test('an address asks for so many codes, and is told when it may again', async () => {
  const address = source();
  const [one, other] = [await from(address), await from(address)];
  const ask = (client: TestClient) => client.request('VERIFICATION_REQUEST_CODE', phoneOf(uniqueSid()));
  for (const client of [one, other, one, other, one, other])
    expect((await ask(client)).type).toBe('VERIFICATION_REQUEST_CODE_SUCCESS');
  tooManyRequests((await ask(one)).payload.errors?.[0], 6_000);
  expect(await limited('address_code_requests')).toBe(1);
  expect((await ask(await from())).type).toBe('VERIFICATION_REQUEST_CODE_SUCCESS');
});

test('a frame of 64 KiB is taken before the sign-in, and a second one; a third is refused', async () => {
  const client = await from();
  const frame = JSON.stringify({ id: 'large', type: 'CONN_KEEP_ALIVE_REQUEST', payload: { more: '' } });
  for (let n = 0; n < 3; n += 1) {
    client.sendRaw(frame.replace('"more":""', `"more":"${'x'.repeat(65_536 - frame.length)}"`));
  }
  await client.next('CONN_KEEP_ALIVE_FAILURE');
  expect(client.received('CONN_KEEP_ALIVE_SUCCESS')).toHaveLength(2);
  expect(await limited('unsigned_bytes')).toBe(1);
});

describe('large frames', () => {
  /** Keep-alives of 60,000 bytes. @returns how many of them were refused */
  async function sendLarge(client: TestClient, count: number): Promise<number> {
    const before = client.frames.length;
    keepAlives(client, count, 'x'.repeat(59_900));
    await client.waitFor((frames) => frames.length === before + count);
    return client.frames.slice(before).filter(({ type }) => type === 'CONN_KEEP_ALIVE_FAILURE').length;
  }

  test('of a connection are refused beyond its bytes', async () => {
    const before = await limited('connection_bytes');
    const client = await signedIn();
    expect(await sendLarge(client, 5)).toBe(2);
    expect(await limited('connection_bytes')).toBe(before + 2);
    await (await signedIn()).roundTrip();
  });

  test('of all connections of a user are refused beyond their bytes', async () => {
    const before = await limited('user_bytes');
    const sid = uniqueSid();
    const [one, other] = [await signedIn(sid), await signedInAgain(sid)];
    expect(await sendLarge(one, 3)).toBe(0);
    expect(await sendLarge(other, 3)).toBe(2);
    expect(await limited('user_bytes')).toBe(before + 2);
  });

  test('of all connections of an address are refused beyond their bytes', async () => {
    const before = await limited('address_bytes');
    const address = source();
    const [one, other] = [await signedIn(uniqueSid(), address), await signedIn(uniqueSid(), address)];
    expect(await sendLarge(one, 3)).toBe(0);
    expect(await sendLarge(other, 3)).toBe(2);
    expect(await limited('address_bytes')).toBe(before + 2);
  });
});

test('a client that sends back what it is sent loses neither requests nor its connection for it', async () => {
  const client = await signedIn();
  const content = 'x'.repeat(10_000);
  for (let n = 0; n < 60; n += 1) client.send('MESSAGING_DELIVER_REQUEST', { content }, `m.1.${n}`);
  const before = client.frames.length;
  await client.roundTrip();
  expect(client.frames).toHaveLength(before + 1);
  expect(await limited('deliveries_sent_back')).toBeGreaterThan(0);
});

test.each(['GROUP_DELIVER_SUCCESS', 'MESSAGING_DELIVER_SUCCESS'])(
  'a client that acknowledges much with %s, in a form of its own, loses neither requests nor its connection for it',
  async (type) => {
    const client = await signedIn();
    const frames = await limited('connection_frames');
    const acknowledgements = await limited('connection_acknowledgements');
    for (let n = 1; n <= 200; n += 1) {
      const payload = type.startsWith('GROUP') ? { group_id: n } : { message_id: n };
      client.sendRaw(JSON.stringify({ type, payload, id: String(n) }));
    }
    const before = client.frames.length;
    await client.roundTrip();
    expect(client.frames).toHaveLength(before + 1);
    expect(await limited('connection_frames')).toBe(frames);
    expect(await limited('connection_acknowledgements')).toBe(acknowledgements + 100);
  },
);

test('what only names an acknowledgement is held against its client as any other frame', async () => {
  const client = await signedIn();
  const frame = { id: 'x', type: 'CONN_KEEP_ALIVE_REQUEST', payload: { type: 'GROUP_DELIVER_SUCCESS' } };
  for (let n = 0; n < 35; n += 1) client.sendRaw(JSON.stringify(frame));
  await client.waitFor(() => client.received('CONN_KEEP_ALIVE_FAILURE').length === 5);
  expect(client.received('CONN_KEEP_ALIVE_SUCCESS')).toHaveLength(30);
});

test('acknowledgements of what nobody sent are looked up a few times, and then ignored', async () => {
  const client = await signedIn();
  const before = await metrics(gateway.adminUrl);
  const limitedBefore = await limited('unknown_acknowledgements');
  const ignored = (from: typeof before) => from.value('hooligram_gateway_acknowledgements_ignored_total');
  for (let n = 1; n <= 100; n += 1) client.send('MESSAGING_DELIVER_SUCCESS', { message_id: 2 ** 40 + n });
  await client.roundTrip();
  await eventually(
    async () => ignored(await metrics(gateway.adminUrl)) >= ignored(before) + 100,
    'all are ignored',
  );
  expect(await limited('unknown_acknowledgements')).toBe(limitedBefore + 95);
});

describe('connections', () => {
  test('of an address are refused at the handshake beyond its number, fewer before the sign-in', async () => {
    const address = source();
    const unsigned = [await from(address), await from(address), await from(address)];
    await expect(from(address)).rejects.toThrow('429');
    expect(await limited('address_unsigned_connections')).toBe(1);
    await unsigned[0]?.signIn(uniqueSid());
    await from(address);
    await expect(from(address)).rejects.toThrow('429');
    expect(await limited('address_connections')).toBe(1);
    await from();
  });

  test('of an address that come one after the other are refused at the handshake beyond their number', async () => {
    const address = source();
    for (let n = 0; n < 8; n += 1) await (await from(address)).close();
    await expect(from(address)).rejects.toThrow('429');
    await expect(from(address)).rejects.toThrow('429');
    expect(await limited('address_handshakes')).toBe(2);
    await from();
  });

  test('of a user beyond their number close the one that signed in first', async () => {
    const sid = uniqueSid();
    const [first, second, third] = [await signedIn(sid), await signedInAgain(sid), await signedInAgain(sid)];
    expect(await first.closed).toEqual(closedWith(closeReasons.tooManyConnections));
    await second.roundTrip();
    await third.roundTrip();
    expect(await limited('user_connections')).toBe(1);
  });

  test('of a user on several gateways are too many together: the one that signed in first is closed, wherever it is', async () => {
    const other = await system.addGateway(limits);
    const sid = uniqueSid();
    const first = await signedIn(sid);
    await first.roundTrip();
    const [second, third] = [await signedInAgain(sid, other), await signedInAgain(sid, other)];
    expect(await first.closed).toEqual(closedWith(closeReasons.tooManyConnections));
    await second.roundTrip();
    await third.roundTrip();
    expect(await limited('user_connections', other)).toBe(0);
  });

  test('of a user that ended with their gateway count for nothing: whoever comes back to another one stays', async () => {
    const dying = await system.addGateway(limits);
    const counted = async (outcome: string) => {
      const { value } = await metrics(gateway.adminUrl);
      return value('hooligram_gateway_user_connections_counted_total', { outcome });
    };
    const [within, tooMany] = [await counted('within'), await counted('too many')];
    const sid = uniqueSid();
    const first = await signedIn(sid);
    const lost = await signedInAgain(sid, dying);
    // Once it is sent a group, its gateway has told the other one of it.
    await lost.requestOk('GROUP_CREATE', { group_name: '', member_sids: [sid, uniqueSid()] });
    await lost.next('GROUP_DELIVER_REQUEST');
    await dying.kill();
    await lost.closed;
    const back = await signedInAgain(sid);
    await eventually(async () => (await counted('within')) > within, 'the connections are counted');
    await first.roundTrip();
    await back.roundTrip();
    expect(await counted('too many')).toBe(tooMany);
  });

  test('on which nobody signs in are closed after a while, others are not', async () => {
    const hasty = await system.addGateway({ LIMITS_ENABLED: 'true', SIGN_IN_WITHIN_SECONDS: '5' });
    const sid = uniqueSid();
    await (await from()).register(sid);
    const signed = await from(source(), hasty);
    await signed.authorize(sid);
    const idle = await from(source(), hasty);
    expect(await idle.closed).toEqual(closedWith(closeReasons.signInTimeout));
    await signed.roundTrip();
    expect(await limited('sign_in_time', hasty)).toBe(1);
  });

  test('that never end a message in fragments are closed with the others on which nobody signs in, and cut before it has a megabyte', async () => {
    const hasty = await system.addGateway({ LIMITS_ENABLED: 'true', SIGN_IN_WITHIN_SECONDS: '5' });
    const { socket: slow } = await ask(hasty.url, upgradeRequest());
    const closed = closedSocket(slow);
    const heard: Buffer[] = [];
    slow.on('data', (bytes) => heard.push(bytes));
    slow.write(clientFrame(text, 'x'.repeat(100), false));
    for (let n = 0; n < 100; n += 1) slow.write(clientFrame(continuation, 'x'.repeat(100), false));
    await closed;
    const close = Buffer.concat(heard);
    const { code, reason } = closeReasons.signInTimeout;
    expect([close[0], close.readUInt16BE(2), close.toString('utf8', 4)]).toEqual([0x88, code, reason]);
    expect(await limited('sign_in_time', hasty)).toBe(1);

    const patient = await system.addGateway({ LIMITS_ENABLED: 'true' });
    const { socket: large } = await ask(patient.url, upgradeRequest());
    const cut = closedSocket(large);
    large.write(clientFrame(text, 'x'.repeat(125), false));
    const piece = clientFrame(continuation, 'x'.repeat(125), false);
    // As many as a megabyte has, and one more.
    large.write(Buffer.concat(Array.from({ length: 1_048_576 / 125 + 1 }, () => piece)));
    await cut;
    await eventually(async () => (await metric(patient, 'gateway_connections')) === 0, 'nobody is left');
  });
});

test('who has signed in and then never ends a message is closed, too', async () => {
  const hasty = await system.addGateway({ LIMITS_ENABLED: 'true', MESSAGE_WITHIN_SECONDS: '2' });
  const sid = uniqueSid();
  await (await from(source(), hasty)).register(sid);
  const { socket } = await ask(hasty.url, upgradeRequest());
  const closed = closedSocket(socket);
  let heard = '';
  const signedIn = new Promise<void>((resolve) => {
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1');
      if (heard.includes('AUTHORIZATION_SIGN_IN_SUCCESS')) resolve();
    });
  });
  const payload = { ...phoneOf(sid), verification_code: '000000' };
  const signIn = JSON.stringify({ id: '1', type: 'AUTHORIZATION_SIGN_IN_REQUEST', payload });
  socket.write(clientFrame(text, signIn.slice(0, 100), false));
  socket.write(clientFrame(continuation, signIn.slice(100)));
  await signedIn;
  socket.write(clientFrame(text, 'x'.repeat(100), false));
  for (let n = 0; n < 100; n += 1) socket.write(clientFrame(continuation, 'x'.repeat(100), false));
  await closed;
  const { code, reason } = closeReasons.messageTimeout;
  expect(heard.slice(-reason.length)).toBe(reason);
  expect(Buffer.from(heard.slice(-reason.length - 2, -reason.length), 'latin1').readUInt16BE()).toBe(code);
  expect(await limited('message_time', hasty)).toBe(1);
});

test('a user signs in so often, and is then told when again; failures of others are not held against them', async () => {
  const sid = uniqueSid();
  const [country_code, phone_number] = sid.split('.');
  const signIn = { country_code, phone_number, verification_code: '000000' };
  const stranger = await from();
  for (let n = 0; n < 4; n += 1) {
    await stranger.request('AUTHORIZATION_SIGN_IN', { ...signIn, verification_code: 'wrong' });
  }
  const client = await signedIn(sid);
  for (let n = 0; n < 2; n += 1) await client.requestOk('AUTHORIZATION_SIGN_IN', signIn);
  const refused = await client.request('AUTHORIZATION_SIGN_IN', signIn);
  expect(refused.payload.errors).toHaveLength(1);
  tooManyRequests(refused.payload.errors?.[0], 1_200);
  await client.roundTrip();
});

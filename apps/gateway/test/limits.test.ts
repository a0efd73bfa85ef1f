import { request } from 'node:http';
import { closeReasons } from '@hooligram/protocol';
import {
  connect,
  getOnce,
  startSystem,
  type TestClient,
  type TestSystem,
  uniqueSid,
} from '@hooligram/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const kib = 1_024;
let system: TestSystem;

beforeAll(async () => {
  // Nothing comes twice because a busy machine acknowledged it late.
  system = await startSystem({ gateways: 1, cores: 1, env: { DELIVERY_ACK_DEADLINE_MS: '600000' } });
});

afterAll(() => system?.stop());

function closedWith({ code, reason }: { code: number; reason: string }) {
  return { code, reason };
}

function open(): Promise<TestClient> {
  return connect(system.gateway(0).url);
}

/** Two users in a direct message. */
async function chat() {
  const [a, b] = [await open(), await open()];
  const [ada, bob] = [uniqueSid(), uniqueSid()];
  await a.signIn(ada);
  await b.signIn(bob);
  const created = await a.requestOk('GROUP_CREATE', { group_name: '', member_sids: [ada, bob] });
  const { group_id } = created.payload;
  for (const one of [a, b]) await one.next('GROUP_DELIVER_REQUEST');
  const say = async (content: string) => {
    await a.requestOk('MESSAGING_SEND', { group_id, content });
    await b.next(({ type, payload }) => type === 'MESSAGING_DELIVER_REQUEST' && payload.content === content);
  };
  return { a, b, group_id, say };
}

/** A keep-alive of exactly so many bytes. */
function keepAliveOf(bytes: number): string {
  const empty = JSON.stringify({ id: 'big', type: 'CONN_KEEP_ALIVE_REQUEST', payload: {}, more: '' });
  return empty.replace('"more":""', `"more":"${'x'.repeat(bytes - empty.length)}"`);
}

describe('a frame', () => {
  test('of exactly 64 KiB is taken', async () => {
    const client = await open();
    client.sendRaw(keepAliveOf(64 * kib));
    await client.next(({ type, id }) => type === 'CONN_KEEP_ALIVE_SUCCESS' && id === 'big');
    client.sendRaw(Buffer.from(keepAliveOf(64 * kib)));
    await client.next(({ type, id }) => type === 'CONN_KEEP_ALIVE_SUCCESS' && id === 'big');
  });

  test('whose content fills 64 KiB is delivered as it was sent', async () => {
    const { a, b, group_id } = await chat();
    const frame = { id: '1', type: 'MESSAGING_SEND_REQUEST', payload: { group_id, content: '' } };
    const content = 'é'.repeat((64 * kib - JSON.stringify(frame).length) / 2 - 1);
    await a.requestOk('MESSAGING_SEND', { group_id, content });
    const delivered = await b.next('MESSAGING_DELIVER_REQUEST');
    expect(delivered.payload.content === content).toBe(true);
  });

  test.each([64 * kib + 1, 65 * kib, 1_024 * kib])(
    'of %d bytes closes its connection with 1009 and a reason',
    async (bytes) => {
      const client = await open();
      await client.roundTrip();
      client.sendRaw(keepAliveOf(bytes));
      expect(await client.closed).toEqual(closedWith(closeReasons.frameTooLarge));
    },
  );

  test('that the server itself may send is ignored like a small one when it comes back, to 1 MiB', async () => {
    const { a: client } = await chat();
    await client.roundTrip();
    const before = client.frames.length;
    for (const type of ['GROUP_DELIVER_REQUEST', 'MESSAGING_DELIVER_REQUEST', 'CONN_FRAME_FAILURE']) {
      client.sendRaw(keepAliveOf(1_024 * kib - 100).replace('CONN_KEEP_ALIVE_REQUEST', type));
    }
    await client.roundTrip();
    expect(client.frames).toHaveLength(before + 1);
    client.sendRaw(keepAliveOf(65 * kib).replace('CONN_KEEP_ALIVE_REQUEST', 'GO_TO_HOME'));
    expect(await client.closed).toEqual(closedWith(closeReasons.frameTooLarge));
  });

  test('that the server itself may send closes a connection before its sign-in', async () => {
    const client = await open();
    client.sendRaw(keepAliveOf(65 * kib).replace('CONN_KEEP_ALIVE_REQUEST', 'GROUP_DELIVER_REQUEST'));
    expect(await client.closed).toEqual(closedWith(closeReasons.frameTooLarge));
  });

  test('of more than 1 MiB cuts its connection', async () => {
    const client = await open();
    client.sendRaw(keepAliveOf(1_024 * kib + 1));
    const { code } = await client.closed;
    expect([1006, 1009]).toContain(code);
    expect(client.frames).toEqual([]);
  });

  test('that is sent before one that is too large is answered first', async () => {
    const client = await open();
    client.send('CONN_KEEP_ALIVE_REQUEST', {}, 'before');
    client.sendRaw(keepAliveOf(65 * kib));
    await client.closed;
    expect(client.frames.map(({ id }) => id)).toEqual(['before']);
  });
});

describe('a connection', () => {
  test('survives 99 bad frames, and is closed with 1008 and a reason on the hundredth', async () => {
    const client = await open();
    for (let count = 1; count <= 99; count += 1) client.sendRaw('bad');
    await client.roundTrip();
    expect(client.received('CONN_FRAME_FAILURE')).toHaveLength(99);
    client.send('MESSAGING_DELIVER_SUCCESS', {});
    expect(await client.closed).toEqual(closedWith(closeReasons.badFrames));
    expect(client.received('CONN_FRAME_FAILURE')).toHaveLength(100);
    expect(system.gateway(0).log()).toMatch(/"source":"127\.0\.0\.1".*it sends bad frames/);
  });

  test.each([
    ['requests that are refused', 'GROUP_LEAVE_REQUEST', { group_id: 1 }, 'GROUP_LEAVE_FAILURE'],
    ['requests with faults', 'VERIFICATION_SUBMIT_CODE_REQUEST', {}, 'VERIFICATION_SUBMIT_CODE_FAILURE'],
    ['requests that the protocol does not know', 'FOO_REQUEST', {}, 'FOO_FAILURE'],
  ])('is not closed for %s, however many', async (_, type, payload, answer) => {
    const client = await open();
    for (let count = 0; count < 300; count += 1) client.send(type, payload);
    await client.waitFor(() => client.received(answer).length === 300);
    await client.roundTrip();
    expect(client.received('CONN_FRAME_FAILURE')).toEqual([]);
  });

  test.each(['GO_TO_HOME', 'CONN_FRAME_FAILURE', 'MESSAGING_DELIVER_REQUEST'])(
    'is not closed for frames that are ignored, however many: %s',
    async (type) => {
      const client = await open();
      for (let count = 0; count < 1_000; count += 1) client.send(type, {});
      await client.roundTrip();
      expect(client.frames).toHaveLength(1);
    },
  );

  test('whose bad frames are old by now is not closed', async () => {
    const forgetful = await system.addGateway({ BAD_FRAMES_MAX: '2', BAD_FRAMES_WINDOW_MS: '1' });
    const client = await connect(forgetful.url);
    client.sendRaw('bad');
    await client.next('CONN_FRAME_FAILURE');
    // The clock of the gateway is that of this machine: a further millisecond and one more have begun.
    const told = Date.now();
    while (Date.now() <= told + 2) await client.roundTrip();
    client.sendRaw('bad');
    await client.next('CONN_FRAME_FAILURE');
    await client.roundTrip();
  });

  test('gets an answer to each of 5,000 requests sent in one go', async () => {
    const { a, group_id } = await chat();
    const types = ['MESSAGING_SEND', 'CONN_KEEP_ALIVE', 'GROUP_ADD_MEMBER', 'FOO'] as const;
    const payloads = [{ group_id, content: 'x' }, {}, { group_id, member_sid: '1.5550100' }, {}];
    const sent = new Map<string, string>();
    for (let count = 0; count < 5_000; count += 1) {
      // One in a hundred is of another kind, so that runs end; few enough are bad.
      const kind = count % 100 === 99 ? ((count / 100) | 0) % 4 : 0;
      const id = a.send(`${types[kind]}_REQUEST`, payloads[kind], `burst-${count}`);
      sent.set(id, types[kind] as string);
    }
    const answersOf = () => a.frames.filter(({ id }) => id.startsWith('burst-'));
    await a.waitFor((frames) => frames.length >= 5_000 && answersOf().length === 5_000);
    await a.roundTrip();
    expect(new Set(answersOf().map(({ id }) => id)).size).toBe(5_000);
    for (const { id, type, payload } of answersOf()) {
      expect(type.startsWith(`${sent.get(id)}_`)).toBe(true);
      if (type === 'MESSAGING_SEND_FAILURE') expect(payload.errors).toEqual(['server busy']);
    }
    expect(a.received('MESSAGING_SEND_SUCCESS').length).toBeGreaterThan(0);
  });

  test('suffers nothing from the bad input of others', async () => {
    const { b, say } = await chat();
    const vandals = await Promise.all(Array.from({ length: 5 }, open));
    const abuse = [
      'x'.repeat(10_000),
      `${'['.repeat(30_000)}`,
      '{"id":1}',
      '{"id":"1","type":"MESSAGING_SEND_REQUEST","payload":{"group_id":9007199254740993,"content":"\\u0000"}}',
      Buffer.from([0xff, 0x00]),
    ];
    for (let round = 0; round < 20; round += 1) {
      for (const vandal of vandals) for (const bytes of abuse) vandal.sendRaw(bytes);
      await say(`undisturbed ${round}`);
    }
    for (const vandal of vandals) {
      for (let count = 0; count < 100; count += 1) vandal.sendRaw('bad');
      expect(await vandal.closed).toEqual(closedWith(closeReasons.badFrames));
    }
    await say('still here');
    const contents = b.received('MESSAGING_DELIVER_REQUEST').map(({ payload }) => payload.content);
    expect(contents).toEqual([
      ...Array.from({ length: 20 }, (_, round) => `undisturbed ${round}`),
      'still here',
    ]);
  });
});

describe('HTTP', () => {
  async function get(path: string): Promise<{ status: number; text: string }> {
    const response = await getOnce(new URL(path, system.gateway(0).url.replace('ws:', 'http:')));
    return { status: response.status, text: await response.text() };
  }

  test('on the path of the protocol gets an answer that asks for an upgrade', async () => {
    const { status, text } = await get('/v2');
    expect(status).toBe(426);
    expect(text).toContain('/v2');
  });

  test.each(['/', '/v1', '/v2/', '/v2/x', '/healthz'])(
    'on %s gets an answer that names the path',
    async (path) => {
      const { status, text } = await get(path);
      expect(status).toBe(404);
      expect(text).toContain('/v2');
    },
  );

  test('a POST is answered like a GET', async () => {
    const url = system.gateway(0).url.replace('ws:', 'http:');
    const status = await new Promise((resolve, reject) => {
      const posted = request(url, { method: 'POST' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      posted.on('error', reject);
      posted.end('{"id":"1"}');
    });
    expect(status).toBe(426);
  });

  test.each(['/', '/v1', '/v2/x'])('an upgrade on %s is refused', async (path) => {
    const url = new URL(path, system.gateway(0).url).href;
    await expect(connect(url)).rejects.toThrow('404');
  });

  test('a query behind the path does no harm', async () => {
    const client = await connect(`${system.gateway(0).url}?client=mobile`);
    await client.roundTrip();
  });
});

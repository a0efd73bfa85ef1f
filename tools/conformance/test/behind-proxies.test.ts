import { type Client, createClient } from '@hooligram/client';
import { phoneOf, sidOf } from '@hooligram/protocol';
import { connect, startSystem, type TestSystem, uniqueSid, until } from '@hooligram/testkit';
import { type Balancer, type Haproxy, startHaproxy, startNginx } from '@hooligram/testkit/balancers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';

const code = '000000';
/** Each member sends a message so often. */
const sendEveryMs = 250;
/** And so often a connection is opened and closed. */
const handshakeEveryMs = 25;

let system: TestSystem;
/** Those of the test that runs. */
const clients: Client[] = [];

beforeAll(async () => {
  system = await startSystem({
    gateways: 3,
    cores: 2,
    env: { LIMITS_ENABLED: 'true' },
    gatewayEnv: { TRUSTED_PROXIES: '127.0.0.1', DRAIN_SECONDS: '1' },
  });
});

afterEach(() =>
  Promise.all(clients.splice(0).map((client) => client.close({ signal: AbortSignal.abort() }))),
);
afterAll(() => system?.stop());

describe.each([
  ['HAProxy', startHaproxy],
  ['nginx', startNginx],
] as const)('behind %s with three gateways', (_name, start) => {
  let balancer: Balancer;
  beforeAll(async () => {
    balancer = await start(system.gateways);
  });
  afterAll(() => balancer?.stop());

  test('limits count by the address of the client, which it cannot choose', () =>
    limitsCountByAddress(balancer.url));

  test('a reload cuts nobody, and the new workers take clients', async () => {
    const before = await Promise.all(Array.from({ length: 3 }, () => connect(balancer.url)));
    const old = balancer.workers();
    balancer.reload();
    await until('new workers are there', () => balancer.workers().some((pid) => !old.includes(pid)));
    const after = await Promise.all(Array.from({ length: 3 }, () => connect(balancer.url)));
    for (const client of [...before, ...after]) await client.roundTrip();
    await Promise.all([...before, ...after].map((client) => client.close()));
  });

  test('all gateways and cores are replaced and the proxy is reloaded under load: nothing is lost, no request fails', async () => {
    const groups = await Promise.all(Array.from({ length: 3 }, () => groupOf(4, balancer.url)));
    const load = groups.map(startLoad);
    const handshakes = startHandshakes(balancer.url);
    try {
      for (const process of [...system.gateways, ...system.cores]) {
        await process.stop();
        await process.start();
      }
      balancer.reload();
      await handshakes.passed();
    } finally {
      for (const each of [handshakes, ...load]) each.stop();
    }
    expect(handshakes.failures).toEqual([]);
    for (const [index, { members }] of groups.entries()) {
      const { sent, failures } = await answered(load[index]);
      expect(failures).toEqual([]);
      expect(sent.length).toBeGreaterThan(40);
      for (const { received } of members) {
        await until('every message is there', () => received.length >= sent.length);
        expect([...received].sort()).toEqual([...sent].sort());
        for (const { sid } of members) expect(of(sid, received)).toEqual(of(sid, sent));
      }
    }
  });
});

test('limits count by the address of the client behind HAProxy with the PROXY protocol', async () => {
  const haproxy = await startHaproxy(system.gateways, { isProxyV2: true });
  await limitsCountByAddress(haproxy.url);
  await haproxy.stop();
});

test('HAProxy passes handshakes on when every gateway says that it is not ready', async () => {
  // Nobody answers there: to HAProxy all gateways are down, as when Redis has a pause.
  const unready = system.gateways.map(({ url }) => ({ url, adminUrl: 'http://127.0.0.1:1' }));
  const haproxy: Haproxy = await startHaproxy(unready);
  const activeServers = async () =>
    /^haproxy_backend_active_servers\{proxy="gateways"\} (\d+)/m.exec(
      await (await fetch(haproxy.metricsUrl)).text(),
    )?.[1];
  await until('all gateways are down for HAProxy', activeServers, (count) => count === '0');
  const connections = await Promise.all(Array.from({ length: 3 }, () => connect(haproxy.url)));
  for (const connection of connections) await connection.roundTrip();
  await Promise.all(connections.map((connection) => connection.close()));
  const logged = /clients gateways-not-ready\/gateway-\d \S+ 101 .*"GET \/v2 HTTP\/1.1"/;
  await until('the log says which gateway each had', () => logged.test(haproxy.log()));
  await haproxy.stop();
});

/** Of those in 127.0.0.0/8; none is tried twice. */
let hosts = 1;

/** Guesses from one address until it may try no more; another one still may, whatever either says of itself. */
async function limitsCountByAddress(url: string): Promise<void> {
  const wrong = { ...phoneOf(uniqueSid()), verification_code: '111111' };
  const [guessing, other] = [`127.0.0.${++hosts}`, `127.0.0.${++hosts}`];
  const isRefused = async (localAddress: string, claimed: string) => {
    const client = await connect(url, { localAddress, headers: { 'X-Forwarded-For': claimed } });
    const { payload } = await client.request('AUTHORIZATION_SIGN_IN', wrong);
    await client.close();
    return /^too many attempts/.test(payload.errors?.[0] ?? '');
  };
  expect(await isRefused(guessing, '203.0.113.0')).toBe(false);
  let isLimited = false;
  for (let tries = 1; tries < 15 && !isLimited; tries += 1) {
    isLimited = await isRefused(guessing, `203.0.113.${tries}`);
  }
  expect(isLimited).toBe(true);
  expect(await isRefused(other, guessing)).toBe(false);
}

type Member = { readonly client: Client; readonly sid: string; readonly received: string[] };
type Group = { readonly id: number; readonly members: readonly Member[] };

async function groupOf(size: number, url: string): Promise<Group> {
  const members = await Promise.all(Array.from({ length: size }, () => newMember(url)));
  const [owner, ...others] = members;
  const id = await owner?.client.createGroup(
    'a group',
    others.map(({ sid }) => sid),
  );
  if (id === undefined) throw new Error('there is no group');
  return { id, members };
}

async function newMember(url: string): Promise<Member> {
  const client = createClient({ url, WebSocket });
  clients.push(client);
  const credential = { ...phoneOf(uniqueSid()), verification_code: code };
  const received: string[] = [];
  client.on('message', ({ content }) => {
    received.push(content);
  });
  await client.requestCode(credential);
  await client.submitCode(code);
  await client.signIn(credential);
  return { client, sid: sidOf(credential.country_code, credential.phone_number), received };
}

type Load = {
  readonly sent: string[];
  readonly failures: unknown[];
  readonly answers: Promise<void>[];
  stop(): void;
};

/** Has every member send messages, until it is stopped. */
function startLoad({ id, members }: Group): Load {
  const load = { sent: [] as string[], failures: [] as unknown[], answers: [] as Promise<void>[] };
  const send = ({ client, sid }: Member) => {
    const content = `${sid} ${load.sent.length}`;
    load.sent.push(content);
    load.answers.push(
      client.send(id, content).then(
        () => {},
        (error) => void load.failures.push(error),
      ),
    );
  };
  const timer = setInterval(() => members.forEach(send), sendEveryMs);
  return { ...load, stop: () => clearInterval(timer) };
}

/** What was sent, when all of it was answered. */
async function answered(load: Load | undefined): Promise<Load> {
  if (!load) throw new Error('there is no such load');
  await Promise.all(load.answers);
  return load;
}

const of = (sid: string, contents: readonly string[]) =>
  contents.filter((content) => content.startsWith(`${sid} `));

/** Opens connections, one at a time, until it is stopped. */
function startHandshakes(url: string) {
  const failures: string[] = [];
  let count = 0;
  let isOpening = false;
  const open = async () => {
    isOpening = true;
    try {
      const client = await connect(url);
      client.terminate();
    } catch (error) {
      failures.push((error as Error).message);
    }
    count += 1;
    isOpening = false;
  };
  const timer = setInterval(() => isOpening || void open(), handshakeEveryMs);
  return {
    /** Why connections did not open. */
    failures,
    stop: () => clearInterval(timer),
    /** Resolves when some more were tried than by now. */
    passed: async () => {
      const enough = count + 20;
      await until('more connections were opened', () => count >= enough);
    },
  };
}

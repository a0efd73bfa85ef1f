import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Certificate,
  connect,
  freePorts,
  makeCertificate,
  metrics,
  type OwnPostgres,
  ownPostgres,
  patienceMs,
  type ReceivedFrame,
  requireTls,
  startDebianRedis,
  startSystem,
  type TestSystem,
  uniqueSid,
  until,
} from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { hooligram } from './operator-command.ts';

const passwords = { gateway: 'pass-g', core: 'pass-c', operator: 'pass-o' };
type Role = keyof typeof passwords;

const signingKey = 'a-key-of-the-bus-for-tests-that-protects-nothing';

const folder = mkdtempSync(join(tmpdir(), 'hooligram-protected-'));
let certificate: Certificate;
let redis: { stop(): Promise<unknown>; port: number };
let postgres: OwnPostgres;
let system: TestSystem;
const open: Redis[] = [];

beforeAll(async () => {
  certificate = await makeCertificate(folder, 'stores');
  [redis, postgres] = await Promise.all([startRedis(), ownPostgres()]);
  const REDIS_CA_FILE = certificate.certFile;
  const env = { REDIS_PREFIX: 'hooligram', REDIS_CA_FILE, BUS_SIGNING_KEYS: signingKey };
  system = await startSystem({
    gateways: 2,
    cores: 1,
    databaseUrl: await requireTls(postgres, certificate),
    gatewayEnv: { ...env, REDIS_URL: urlOf('gateway') },
    // Soon enough for a retry and its job.
    coreEnv: { ...env, REDIS_URL: urlOf('core'), DELIVERY_ACK_DEADLINE_MS: '100', LIMITS_ENABLED: 'true' },
  });
});

afterAll(async () => {
  for (const client of open) client.disconnect();
  await system?.stop();
  await redis?.stop();
  await postgres?.crash();
  rmSync(folder, { recursive: true, force: true });
});

const urlOf = (role: Role) => `rediss://${role}:${passwords[role]}@127.0.0.1:${redis.port}`;

/** Over TLS alone, with the users of the repository. */
async function startRedis() {
  const users = join(folder, 'users.acl');
  let text = readFileSync('infra/redis/users.acl', 'utf8');
  for (const [role, password] of Object.entries(passwords)) {
    text = text.replace(`${role.toUpperCase()}_PASSWORD`, password);
  }
  writeFileSync(users, text);
  const [port = 0] = await freePorts(1);
  const { certFile, keyFile } = certificate;
  const settings = {
    ...{ port: 0, 'tls-port': port, 'tls-cert-file': certFile, 'tls-key-file': keyFile },
    ...{ 'tls-ca-cert-file': certFile, 'tls-auth-clients': 'no', aclfile: users, save: '', dir: folder },
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const started = await startDebianRedis('redis-tls', args, folder);
  return { port, stop: () => started.stop() };
}

function as(role: Role): Redis {
  const client = new Redis(urlOf(role), {
    tls: { ca: readFileSync(certificate.certFile) },
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
  });
  client.on('error', () => undefined);
  open.push(client);
  return client;
}

test('gateways and cores sign in to Redis as their roles, over TLS, and to Postgres over TLS, and people chat', async () => {
  const [ada, bob] = [uniqueSid(), uniqueSid()];
  const [a, b] = await Promise.all([
    connect(system.gateway(0).url),
    connect(system.gateway(1).url, { acknowledge: false }),
  ]);
  await Promise.all([a.signIn(ada), b.signIn(bob)]);
  const created = await a.requestOk('GROUP_CREATE', { group_name: '', member_sids: [ada, bob] });
  const { group_id } = created.payload;
  await a.requestOk('MESSAGING_SEND', { group_id, content: 'over TLS' });
  const isMessage = ({ type }: { type: string }) => type === 'MESSAGING_DELIVER_REQUEST';
  const { payload } = await b.next(isMessage);
  expect(payload.content).toBe('over TLS');
  // Not acknowledged, so a job delivers it again: queues, own channels and redelivery replies work.
  expect((await b.next(isMessage)).payload.message_id).toBe(payload.message_id);
  for (const client of [a, b]) client.terminate();
  expect(system.logs()).not.toMatch(/NOPERM|permissions/);
  await expect(postgres.query('SELECT 1')).rejects.toThrow('no encryption');
});

test('whoever may write to Redis and has no signing key says nothing in the name of others', async () => {
  const [ada, bob] = [uniqueSid(), uniqueSid()];
  const [a, b] = await Promise.all([connect(system.gateway(0).url), connect(system.gateway(1).url)]);
  await Promise.all([a.signIn(ada), b.signIn(bob)]);
  const created = await a.requestOk('GROUP_CREATE', { group_name: '', member_sids: [ada, bob] });
  const { group_id } = created.payload;
  const isMessage = ({ type }: ReceivedFrame) => type === 'MESSAGING_DELIVER_REQUEST';
  const send = async (content: string) => {
    await a.requestOk('MESSAGING_SEND', { group_id, content });
    return (await b.next((frame) => isMessage(frame) && frame.payload.content === content)).payload;
  };
  const genuine = await send('one');
  const [thief, stream] = [as('core'), 'hooligram:{requests}'];
  // As Ada, whichever id she has.
  const requests = Array.from({ length: 20 }, (_, user_id) => ({
    ref: user_id,
    request_id: randomUUID(),
    type: 'MESSAGING_SEND',
    params: { user_id, sid: ada, repeatable: false, group_id, content: 'forged' },
  }));
  const fields = {
    v: 1,
    node: 'node',
    deadline: Date.now() + patienceMs,
    requests: JSON.stringify(requests),
  };
  const entry = await thief.xadd(stream, '*', ...Object.entries(fields).flat());
  const frame = { type: 'MESSAGING_DELIVER_REQUEST', id: 'x', payload: { ...genuine, content: 'forged' } };
  const channels = (await thief.pubsub('CHANNELS', `hooligram*:group:${group_id}`)) as string[];
  for (const channel of channels) {
    await thief.publish(
      channel,
      `m ${group_id} 1 2 ${Number(genuine.message_id) + 1}\n${JSON.stringify(frame)}`,
    );
  }
  const refused = async (node: { adminUrl: string }, name: string, labels: Record<string, string>) =>
    (await metrics(node.adminUrl)).value(`hooligram_${name}_signatures_refused_total`, labels);
  await until('the entry is refused', async () => {
    return (await refused(system.core(0), 'core', { what: 'entry' })) >= 1;
  });
  await until('the publication is refused', async () => {
    return (await refused(system.gateway(1), 'gateway', { channel: 'group' })) === channels.length;
  });
  expect(await send('two')).toMatchObject({ content: 'two', sender_sid: ada });
  const contents = b.received('MESSAGING_DELIVER_REQUEST').map(({ payload }) => payload.content);
  expect(contents).not.toContain('forged');
  expect(channels).toHaveLength(1);
  // It would stay for a core with other keys, for a minute.
  await thief.xdel(stream, entry ?? '');
  await thief.xack(stream, 'cores', entry ?? '');
  for (const client of [a, b]) client.terminate();
});

test('a gateway’s user can neither take requests nor read or change keys', async () => {
  const gateway = as('gateway');
  const stream = 'hooligram:{requests}';
  const refused: [string, ...(string | number)[]][] = [
    ['XREADGROUP', 'GROUP', 'cores', 'x', 'STREAMS', stream, '>'],
    ['XRANGE', stream, '-', '+'],
    ['XREAD', 'STREAMS', stream, '0'],
    ['XDEL', stream, '1-1'],
    ['XGROUP', 'DESTROY', stream, 'cores'],
    ['DEL', stream],
    ['KEYS', '*'],
    ['SCAN', '0'],
    ['GET', 'hooligram:{queues}:epoch'],
    ['HSET', 'hooligram:database-epoch', 'epoch', '1'],
    ['SET', 'elsewhere', '1'],
    ['SUBSCRIBE', 'elsewhere'],
    ['PSUBSCRIBE', '*'],
    ['PUBLISH', 'elsewhere', 'x'],
    ['CONFIG', 'GET', '*'],
    ['ACL', 'LIST'],
    ['CLIENT', 'LIST'],
    ['FLUSHALL'],
    ['MONITOR'],
    ['EVAL', `return redis.call('XRANGE', KEYS[1], '-', '+')`, 1, stream],
    ['EVAL', `return redis.call('GET', 'hooligram:{queues}:epoch')`, 0],
  ];
  for (const [name, ...args] of refused) {
    const answer = await gateway.call(name, ...args).then(
      () => 'taken',
      (error: Error) => error.message,
    );
    expect(`${name} ${answer}`).toMatch(/NOPERM|can't|cannot/);
  }
});

test('a core’s user keeps to the prefix and does not administer, and an operator’s only reads and replays', async () => {
  const refusals = async (role: Role, commands: readonly (readonly [string, ...string[]])[]) => {
    const client = as(role);
    for (const [name, ...args] of commands) {
      await expect(client.call(name, ...args)).rejects.toThrow(/NOPERM|permissions/);
    }
  };
  await refusals('core', [
    ['GET', 'other:key'],
    ['CONFIG', 'GET', '*'],
    ['FLUSHALL'],
    ['ACL', 'LIST'],
    ['KEYS', '*'],
  ]);
  await refusals('operator', [
    ['XADD', 'hooligram:{requests}', '*', 'a', 'b'],
    ['PUBLISH', 'hooligram:gateways', 'lost'],
    ['PUBLISH', 'hooligram:group:1', 'a message'],
    ['SUBSCRIBE', 'hooligram:group:1'],
    ['SET', 'hooligram:database-epoch', '1'],
    ['FLUSHALL'],
    ['CONFIG', 'SET', 'maxmemory', '0'],
  ]);
  expect(await as('operator').xlen('hooligram:{requests}')).toBeGreaterThanOrEqual(0);
});

test('an operator’s user sees and steers all nodes, and the command finds no fault with its rights', async () => {
  const status = await asOperator('status');
  expect(status).toMatchObject({ is_well: true, silent: [], dead_letters: 0 });
  expect(status.nodes).toHaveLength(3);
  const [{ node }] = status.nodes;
  expect(await asOperator('drain', node, '--stop')).toMatchObject({ node });
  const { findings } = (await asOperator('doctor')) as {
    findings: { name: string; verdict: string; text: string }[];
  };
  const ofRedis = findings.filter(({ name }) => /^(redis|nodes)\./.test(name));
  expect(ofRedis.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['redis.write-path', 'nodes.running']),
  );
  // With the limit of what a gateway leaves unread, which no gateway may ask for.
  expect(ofRedis.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  await as('core').xadd(
    'hooligram:{requests}:dead-letters',
    '1-1',
    'request',
    'one that no release can read',
  );
  expect(await asOperator('dead-letters', 'drop', '--all')).toMatchObject([{ id: 'request/1-1' }]);
});

const asOperator = (...args: readonly string[]) =>
  hooligram(
    {
      REDIS_URL: urlOf('operator'),
      REDIS_CA_FILE: certificate.certFile,
      BUS_SIGNING_KEYS: signingKey,
      // On a busy machine a node answers late.
      NODE_REPLY_TIMEOUT_MS: String(patienceMs),
    },
    ...args,
  );

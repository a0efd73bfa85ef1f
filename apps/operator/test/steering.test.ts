import { closeReasons } from '@hooligram/protocol';
import { connect, metrics, startSystem, type TestClient, type TestSystem, until } from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { envOf, hooligram, patientEnvOf } from './hooligram.ts';

const { restarting } = closeReasons;

let system: TestSystem;
const clients = new Set<TestClient>();

beforeAll(async () => {
  system = await startSystem({ gateways: 2, cores: 1, gatewayEnv: { DRAIN_SECONDS: '0' } });
});
afterEach(async () => {
  const open = [...clients];
  clients.clear();
  for (const client of open) client.terminate();
  await Promise.all(open.map(({ closed }) => closed));
  await until('all are gone', async () => (await connections()).every((count) => count === 0));
});
afterAll(() => system?.stop());

const run = (...args: string[]) => hooligram(patientEnvOf(system), args);

async function enter(gateway: number, count: number): Promise<TestClient[]> {
  const { url } = system.gateway(gateway);
  const entered = await Promise.all(Array.from({ length: count }, () => connect(url)));
  for (const client of entered) clients.add(client);
  return entered;
}

/** How many connections each gateway has. */
function connections(): Promise<number[]> {
  return Promise.all(
    system.gateways.map(async ({ adminUrl }) =>
      (await metrics(adminUrl)).value('hooligram_gateway_connections'),
    ),
  );
}

const pidOf = (gateway: number) => String(system.gateway(gateway).pid);

describe('hooligram status', () => {
  test('lists every gateway and core, and ends with 0 when all are well', async () => {
    await enter(0, 3);
    const { code, ...ran } = await run('status', '--json');
    const { nodes, silent, stream, dead_letters } = ran.json();
    expect({ code, silent, dead_letters, pending: stream.pending }).toEqual({
      code: 0,
      silent: [],
      dead_letters: 0,
      pending: 0,
    });
    const found = nodes.map(({ role, pid, release, is_ready, gateway }: Record<string, unknown>) => [
      role,
      pid,
      release,
      is_ready,
      (gateway as { connections: number } | null)?.connections,
    ]);
    expect(found).toHaveLength(3);
    expect(found).toContainEqual(['gateway', system.gateway(0).pid, '0.1.0', true, 3]);
    expect(found).toContainEqual(['gateway', system.gateway(1).pid, '0.1.0', true, 0]);
    expect(found).toContainEqual(['core', system.core(0).pid, '0.1.0', true, undefined]);
    expect((await run('status')).stdout).toMatch(
      /^NODE +ROLE +PROCESS[^\n]*\n[0-9a-f]{8} +gateway +\S+:\d+ /,
    );
  });

  test('ends with 1 and names a node that does not answer, and what is missing', async () => {
    system.core(0).freeze();
    const { code, stdout } = await hooligram(envOf(system), ['status']).finally(() =>
      system.core(0).resume(),
    );
    expect([code, stdout]).toEqual([1, expect.stringMatching(/[0-9a-f]{8} \(core\) does not answer/)]);
    const other = await hooligram({ ...envOf(system), REDIS_PREFIX: 'nobody' }, ['status']);
    expect([other.code, other.stdout]).toEqual([1, expect.stringMatching(/no gateway runs\nno core runs/)]);
    await until('it is ready', () => system.core(0).isReady());
  });
});

describe('hooligram drain', () => {
  test('empties a gateway, keeps it empty and not ready, and lets clients in again when it is stopped', async () => {
    const [first] = await enter(0, 8);
    const drained = await run('drain', pidOf(0), '--json');
    expect([drained.code, drained.json().left]).toEqual([0, 0]);
    expect(await first?.closed).toEqual({ code: restarting.code, reason: restarting.reason });
    expect(await system.gateway(0).isReady()).toBe(false);
    const [late] = await enter(0, 1);
    expect(await late?.closed).toEqual({ code: restarting.code, reason: restarting.reason });
    const { stdout } = await run('status');
    expect(stdout).toMatch(/drain, 0 left/);
    expect(stdout).toMatch(/is not ready: drain: drained by an operator/);

    expect((await run('drain', pidOf(0), '--stop')).code).toBe(0);
    await until('it is ready', () => system.gateway(0).isReady());
    const [stays] = await enter(0, 1);
    await stays?.roundTrip();
  });

  test('goes no faster than its rate, says how many are left, and who is left when it is stopped stays', async () => {
    // Enough for the time that two commands take on a busy machine.
    await enter(0, 90);
    // One now, and the next in a second.
    expect((await run('drain', pidOf(0), '--rate', '1', '--no-wait')).code).toBe(0);
    const [left = 0] = await until('one has gone', connections, ([count = 0]) => count < 90);
    expect(left).toBeGreaterThan(0);
    const { adminUrl } = system.gateway(0);
    expect((await metrics(adminUrl)).value('hooligram_gateway_drain_connections_left')).toBeGreaterThan(0);
    await run('drain', pidOf(0), '--stop');
    expect((await connections())[0]).toBeGreaterThan(0);
    await until(
      'nobody is to go',
      async () => (await metrics(adminUrl)).value('hooligram_gateway_drain_connections_left') === 0,
    );
    await until('it is ready', () => system.gateway(0).isReady());
  });

  test('refuses the last gateway that is ready, and a name that nobody or more than one has', async () => {
    await run('drain', pidOf(1));
    const last = await run('drain', pidOf(0));
    expect([last.code, last.stderr]).toEqual([1, expect.stringContaining('no other gateway is ready')]);
    await run('drain', pidOf(1), '--stop');
    expect((await run('drain', 'nobody')).code).toBe(3);
    expect((await run('drain', '')).code).toBe(2);
    expect((await run('drain', pidOf(0), '--rate', 'fast')).code).toBe(2);
  });
});

describe('hooligram rebalance', () => {
  test('sends the surplus of a full gateway away, those who came first, and nobody from the others', async () => {
    const early = await enter(0, 15);
    const late = await enter(0, 25);
    const others = await enter(1, 10);
    const trial = await run('rebalance', '--dry-run', '--json');
    expect(
      trial
        .json()
        .map(({ surplus }: { surplus: number }) => surplus)
        .sort(),
    ).toEqual([0, 15]);
    expect(await connections()).toEqual([40, 10]);

    const { code, stdout } = await run('rebalance');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/[0-9a-f]{8} +40 +15 +25/)]);
    expect(await connections()).toEqual([25, 10]);
    const codes = await Promise.all(early.map(async ({ closed }) => (await closed).code));
    expect(new Set(codes)).toEqual(new Set([restarting.code]));
    await Promise.all([...late, ...others].map((client) => client.roundTrip()));
    expect((await run('rebalance', '--factor', '2')).stdout).toContain('nothing to do');
  });
});

test('gateways level their load by themselves if they are told to', async () => {
  await system.addGateway({ LEVEL_FACTOR: '1.2' });
  await system.addGateway({ LEVEL_FACTOR: '1.2' });
  const full = await enter(2, 60);
  await Promise.race(full.map(({ closed }) => closed));
  // The mean of these two. No load balancer brings them to the other one here.
  await until('the surplus has gone', async () => (await connections())[2] === 30);
});

test('a call that makes no sense ends with 2, and a store that is away with 3; both say what to do', async () => {
  const none = await hooligram({}, []);
  expect([none.code, none.stdout]).toEqual([2, expect.stringContaining('Commands:')]);
  const unknown = await hooligram({}, ['statsu']);
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('unknown command')]);
  const bad = await hooligram({ REDIS_URL: 'http://x' }, ['status', '--json']);
  expect([bad.code, bad.json().error]).toEqual([2, expect.stringContaining('REDIS_URL must be a URL')]);
  const away = await hooligram({ REDIS_URL: 'redis://127.0.0.1:1' }, ['status']);
  expect([away.code, away.stderr]).toEqual([3, expect.stringContaining('(REDIS_URL)')]);
  expect((await hooligram({}, ['--help'])).code).toBe(0);
  expect((await hooligram({}, ['--version'])).stdout).toBe('0.1.0\n');
});

import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { connect, metrics, startSystem, type TestSystem, uniqueSid, until } from './index.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(() => system?.stop());

test('two people on two gateways of a test system exchange a message', async () => {
  const [ann, bob] = [uniqueSid(), uniqueSid()];
  const [one, two] = await Promise.all([connect(system.gateway(0).url), connect(system.gateway(1).url)]);
  await Promise.all([one.signIn(ann), two.signIn(bob)]);
  const created = await one.requestOk('GROUP_CREATE', { group_name: 'tea', member_sids: [ann, bob] });
  const { group_id } = created.payload;
  await two.next('GROUP_DELIVER_REQUEST');
  await one.requestOk('MESSAGING_SEND', { group_id, content: 'hello' });
  expect((await two.next('MESSAGING_DELIVER_REQUEST')).payload).toMatchObject({
    content: 'hello',
    sender_sid: ann,
  });
  await Promise.all([one.close(), two.close()]);
});

test('a killed gateway can be started again in its place', async () => {
  const gateway = system.gateway(1);
  const client = await connect(gateway.url);
  const before = gateway.pid;
  await gateway.kill();
  expect((await client.closed).code).toBe(1006);
  await gateway.start();
  expect(gateway.pid).not.toBe(before);
  await (await connect(gateway.url)).close();
});

test('a process that somebody else ends is told of in its log and to whoever runs the tests, and no other', async () => {
  const gateway = system.gateway(1);
  const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    const { pid } = gateway;
    process.kill(pid, 'SIGKILL');
    const text = `${gateway.name} ended, and the test has not told it to: killed by SIGKILL`;
    await until('it is told', () => gateway.log().includes(text));
    expect(JSON.parse(gateway.log().trim().split('\n').at(-1) ?? '')).toMatchObject({ level: 'error', pid });
    expect(stderr.mock.calls).toEqual([[`${text} (pid ${pid})\n`]]);
    await gateway.start();
    gateway.freeze();
    gateway.resume();
    await gateway.stop();
    await gateway.start();
    await gateway.kill();
    await gateway.start();
    expect(gateway.log().split('the test has not told it to')).toHaveLength(2);
    expect(stderr.mock.calls).toHaveLength(1);
  } finally {
    stderr.mockRestore();
  }
});

test('a core can be added, and every process shows its metrics', async () => {
  const core = await system.addCore();
  expect(system.cores).toHaveLength(2);
  for (const { adminUrl } of [...system.gateways, core]) {
    expect((await metrics(adminUrl)).value('process_resident_memory_bytes')).toBeGreaterThan(0);
  }
});

test('a process that cannot start is an error that shows its log', async () => {
  await expect(system.addGateway({ GAP_HELD_MAX: 'none' })).rejects.toThrow(
    /ended at its start[\s\S]*GAP_HELD_MAX/,
  );
});

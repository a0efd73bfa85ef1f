import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePorts, startSystem, type TestSystem } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const folder = fileURLToPath(new URL('../', import.meta.url));
let system: TestSystem;

beforeAll(async () => {
  system = await startSystem({ gateways: 2, cores: 1 });
});

afterAll(() => system?.stop());

function run(command: string, args: readonly string[], input = '') {
  return new Promise<{ exitCode: number | null; stdout: string; stderr: string }>((resolve) => {
    const env = { PATH: process.env.PATH };
    const child = execFile(command, args, { cwd: folder, env }, (_, stdout, stderr) =>
      resolve({ exitCode: child.exitCode, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

test('frames.mjs prints the answer to each frame of its input, and says how the connection ended', async () => {
  const input = [
    '{"id":"1","type":"CONN_KEEP_ALIVE_REQUEST","payload":{}}',
    'hello',
    '{"id":"2","type":"GROUP_LEAVE_REQUEST","payload":{"group_id":1}}',
  ].join('\n');
  const { exitCode, stdout, stderr } = await run('node', ['frames.mjs', system.url, '--for', '0'], input);
  expect(stdout.trimEnd().split('\n')).toEqual([
    '{"id":"1","type":"CONN_KEEP_ALIVE_SUCCESS","payload":{}}',
    '{"id":"","type":"CONN_FRAME_FAILURE","payload":{"errors":["frame: must be JSON"]}}',
    '{"id":"2","type":"GROUP_LEAVE_FAILURE","payload":{"errors":["not signed in"]}}',
  ]);
  expect(stderr).toBe('closed: 1000 \n');
  expect(exitCode).toBe(0);
});

test('frames.mjs prints that no server listens, and ends with 1', async () => {
  const [port = 0] = await freePorts(1);
  const { exitCode, stderr } = await run('node', ['frames.mjs', `ws://127.0.0.1:${port}/v2`]);
  expect(stderr).toContain('ECONNREFUSED');
  expect(exitCode).toBe(1);
});

test('first-message.sh brings a message from one gateway to another', async () => {
  const { exitCode, stdout, stderr } = await run('bash', [
    'first-message.sh',
    system.gateway(0).url,
    system.gateway(1).url,
  ]);
  expect([exitCode, stderr]).toEqual([0, 'closed: 1000 \n'.repeat(3)]);
  const [, atGrace = ''] = stdout.split('Grace signs up');
  expect(atGrace).toContain('"type":"GROUP_DELIVER_REQUEST"');
  expect(atGrace).toMatch(/MESSAGING_DELIVER_REQUEST.*"content":"hello from a terminal"/);
});

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, startSystem, type TestSystem } from '@hooligram/testkit';
import { FaultyWebSocketProxy } from '@hooligram/testkit/proxies';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { allChecks } from '../src/index.ts';

const program = fileURLToPath(new URL('../bin/hooligram-conformance.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'hooligram-conformance-'));
let system: TestSystem;
let url: string;

beforeAll(async () => {
  system = await startSystem({ gateways: 1, cores: 1 });
  url = system.gateway(0).url;
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await system?.stop();
});

function run(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...args],
      { env: { PATH: process.env.PATH } },
      (_, stdout, stderr) => resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

describe('the command', () => {
  test('tells its flags and its checks', async () => {
    expect(await run('--help')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('--code-command'),
    });
    expect(await run('--version')).toMatchObject({ exitCode: 0, stdout: '0.1.0\n' });
    const { exitCode, stdout } = await run('--list');
    expect(exitCode).toBe(0);
    for (const { topic, name } of allChecks)
      expect(stdout).toMatch(new RegExp(`^  ${topic}/${name} +\\S`, 'm'));
  });

  test('ends with 0 and a readable report when nothing failed, with a code from a command', async () => {
    const command = 'test {country_code}.{phone_number} = {sid} && echo 000000';
    const only = ['--only', 'frames/ids,verification-submit-code/becomes-credential'];
    const { exitCode, stdout } = await run('--url', url, '--code-command', command, ...only);
    expect(stdout).toMatch(/✓ a right code becomes the credential.* \(\d+ ms\)/);
    expect(stdout).toMatch(/^2 passed, 0 failed, 0 skipped$/m);
    expect(exitCode).toBe(0);
  });

  test('says what it skipped, and why', async () => {
    const only = ['--only', 'messaging-deliver/again-while-connected,bad-frames/closed'];
    const { exitCode, stdout } = await run('--url', url, '--code', '000000', '--bad-frames', '0', ...only);
    expect(stdout).toContain('skipped: takes long: made with --slow');
    expect(stdout).toContain('skipped: --bad-frames 0');
    expect(stdout).toMatch(/^0 passed, 0 failed, 2 skipped$/m);
    expect(exitCode).toBe(0);
  });

  test('ends with 1 when a check failed, shows the frames, and writes them down for a program', async () => {
    const proxy = await FaultyWebSocketProxy.start(url, {
      fromServer: (frame, connection) =>
        connection.toClient(frame.type === 'CONN_KEEP_ALIVE_SUCCESS' ? { ...frame, id: 'mine' } : frame),
    });
    const file = join(folder, 'report.json');
    const only = ['--only', 'conn-keep-alive', '--timeout-ms', '8000', '--json', file];
    const { exitCode, stdout } = await run('--url', proxy.url, '--code', '000000', ...only);
    proxy.stop();
    expect(stdout).toContain('✗ keep-alive is answered on a connection where nobody is signed in');
    expect(stdout).toContain('check: conn-keep-alive/before-sign-in');
    expect(stdout).toMatch(/a → \{"id":"1","type":"CONN_KEEP_ALIVE_REQUEST"/);
    expect(stdout).toMatch(/a ← \{"id":"mine","type":"CONN_KEEP_ALIVE_SUCCESS"/);
    expect(exitCode).toBe(1);
    const report = JSON.parse(readFileSync(file, 'utf8'));
    expect(report).toMatchObject({ url: proxy.url, passed: 1, failed: 2, skipped: 0 });
    expect(report.checks[0]).toMatchObject({
      outcome: 'failed',
      reasons: [expect.stringContaining('waited 8000 ms')],
    });
    expect(report.checks[0].exchanged[0]).toMatchObject({ peer: 'a', direction: 'sent' });
  });

  test.each([
    [[], '--url is required'],
    [['--url', 'http://127.0.0.1'], '--url must be a ws: or wss: URL'],
    [['--url', 'ws://127.0.0.1/v2'], 'there is no terminal to ask for codes'],
    [['--url', 'ws://127.0.0.1/v2', '--code', '1', '--code-command', 'x'], 'choose one'],
    [['--url', 'ws://127.0.0.1/v2', '--code', '1', '--only', 'nothing'], 'no topic or check "nothing"'],
    [
      ['--url', 'ws://127.0.0.1/v2', '--code', '1', '--timeout-ms', 'x'],
      '--timeout-ms must be a whole number',
    ],
    [['--colour'], "'--colour'"],
  ])('ends with 2 and one line for %j', async (args, line) => {
    const { exitCode, stdout, stderr } = await run(...args);
    expect(stderr).toContain(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });

  test('ends with 2 when nobody listens, or no code can be had', async () => {
    const [port = 0] = await freePorts(1);
    const nobody = await run('--url', `ws://127.0.0.1:${port}/v2`, '--code', '000000');
    expect(nobody).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('cannot connect') });
    const codeless = await run(
      '--url',
      url,
      '--code-command',
      'echo no such file >&2; exit 3',
      '--only',
      'replay',
    );
    expect(codeless).toMatchObject({ exitCode: 2, stderr: '--code-command failed: no such file\n' });
  });
});

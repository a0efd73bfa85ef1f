import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { until } from '../../testkit/src/patience.ts';
import { smokeTest } from '../src/smoke-test.ts';
import {
  hasStackFile,
  Launcher,
  type LaunchOptions,
  living,
  pidsOf,
  readStack,
  stackPort,
} from './launcher.ts';

const folder = mkdtempSync(join(tmpdir(), 'hooligram-launcher-'));
const launchers: Launcher[] = [];

function launch(args: readonly string[], options: LaunchOptions = {}): Launcher {
  const launcher = new Launcher(args, options);
  launchers.push(launcher);
  return launcher;
}

function argsFor(dataDir: string, ...args: string[]): string[] {
  return ['--port', String(stackPort), '--data-dir', dataDir, ...args];
}

function start(dataDir: string, ...args: string[]): Launcher {
  return launch(argsFor(dataDir, ...args));
}

afterEach(async () => {
  for (const launcher of launchers.splice(0)) {
    launcher.child.kill('SIGINT');
    await launcher.ended();
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function isReady(admin: string): Promise<boolean> {
  return fetch(`${admin}/readyz`).then(
    ({ status }) => status === 200,
    () => false,
  );
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('a wrong flag', () => {
  test.each([
    [['--port', 'many'], '--port must be a whole number from 1 to 64326, not "many"'],
    [['--gateways', '0'], '--gateways must be a whole number from 1 to 99, not "0"'],
    [['--redis', '0'], '--redis must be a whole number from 1 to 9, or cluster, or sentinel, not "0"'],
    [['--cores=1.5'], '--cores must be a whole number from 1 to 99, not "1.5"'],
    [['--data-dir', ''], '--data-dir must name a folder'],
    [['--colour'], "Unknown option '--colour'; see npm start -- --help"],
    [['fresh'], "Unexpected argument 'fresh'; see npm start -- --help"],
  ])('%j is one line on stderr and exit code 1', async (args, line) => {
    const launcher = launch(args);
    expect(await launcher.ended()).toBe(1);
    expect(launcher.errors).toBe(`${line}\n`);
    expect(launcher.output).toBe('');
  });
});

test('--help shows every flag', async () => {
  const launcher = launch(['--help']);
  expect(await launcher.ended()).toBe(0);
  for (const flag of ['gateways', 'cores', 'redis', 'port', 'data-dir', 'fresh', 'help']) {
    expect(launcher.output).toContain(`--${flag}`);
  }
});

test('--version is one line', async () => {
  const launcher = launch(['--version']);
  expect(await launcher.ended()).toBe(0);
  expect(launcher.output).toMatch(/^\d+\.\d+\.\d+\n$/);
});

describe('what cannot be started', () => {
  test.each([
    [1, 'gateway-1'],
    [0, 'all gateways'],
    [10, 'the page'],
    [1_002, 'gateway-2, admin'],
    [1_101, 'core-1, admin'],
  ])('a port in use, P+%i, is named, and nothing is left running', async (offset, use) => {
    const dataDir = join(folder, 'port-in-use');
    const server = createServer().listen(stackPort + offset, '127.0.0.1');
    try {
      const launcher = start(dataDir);
      expect(await launcher.ended()).toBe(1);
      expect(launcher.errors).toBe(
        `port ${stackPort + offset} is in use (wanted for ${use}): choose another with --port\n`,
      );
      expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
      expect(existsSync(join(dataDir, 'run/launcher.lock'))).toBe(false);
    } finally {
      server.close();
    }
  });

  test('a folder that is not ours is refused and left as it is, also with --fresh', async () => {
    const dataDir = join(folder, 'precious');
    mkdirSync(join(dataDir, 'postgres'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres/thesis.txt'), 'years of work');
    const launcher = start(dataDir, '--fresh');
    expect(await launcher.ended()).toBe(1);
    expect(launcher.errors).toMatch(/^.* is not empty and not a data folder of Hooligram: .*--data-dir\n$/);
    expect(readFileSync(join(dataDir, 'postgres/thesis.txt'), 'utf8')).toBe('years of work');
  });

  test.each([
    ['DATABASE_URL', 'postgres://me:secret@127.0.0.1:1/chat', 'postgres://me:***@127.0.0.1:1/chat'],
    ['REDIS_URL', 'redis://me:secret@127.0.0.1:1', 'redis://***@127.0.0.1:1'],
  ])('a %s that does not answer is one line, without its password', async (variable, url, shown) => {
    const launcher = launch(argsFor(join(folder, variable)), { env: { [variable]: url } });
    expect(await launcher.ended()).toBe(1);
    expect(launcher.errors).toBe(`${variable}: ${shown} does not answer: connect ECONNREFUSED 127.0.0.1:1\n`);
    expect(existsSync(join(folder, variable, 'run/launcher.lock'))).toBe(false);
  });

  test('a gateway that ends at its start is shown with its log, and nothing is left running', async () => {
    const dataDir = join(folder, 'bad-env');
    const launcher = launch(argsFor(dataDir), { env: { GAP_HELD_MAX: 'none' } });
    expect(await launcher.ended()).toBe(1);
    expect(launcher.errors).toMatch(/^gateway-\d ended at its start: exit code 1\n[\s\S]*GAP_HELD_MAX/);
    expect(existsSync(join(dataDir, 'run/pids'))).toBe(false);
  });
});

describe('a running stack', () => {
  const dataDir = join(folder, 'data');
  let launcher: Launcher;

  beforeAll(async () => {
    launcher = new Launcher(argsFor(dataDir));
    await launcher.ready();
  });

  afterAll(async () => {
    launcher.child.kill('SIGINT');
    expect(await launcher.ended()).toBe(0);
  });

  test('is described by stack.json', async () => {
    const stack = readStack(dataDir);
    expect(stack.url).toBe(`ws://127.0.0.1:${stackPort}/v2`);
    expect(stack.web).toBe(`http://127.0.0.1:${stackPort + 10}/`);
    expect(launcher.output).toContain(`open     ${stack.web}`);
    expect(stack.gateways.map(({ url, admin }) => [url, admin])).toEqual([
      [`ws://127.0.0.1:${stackPort + 1}/v2`, `http://127.0.0.1:${stackPort + 1_001}`],
      [`ws://127.0.0.1:${stackPort + 2}/v2`, `http://127.0.0.1:${stackPort + 1_002}`],
    ]);
    expect(stack.cores.map(({ admin }) => admin)).toEqual([`http://127.0.0.1:${stackPort + 1_101}`]);
    expect(living(pidsOf(stack))).toHaveLength(5);
    for (const { admin } of [...stack.gateways, ...stack.cores]) {
      for (const page of ['healthz', 'readyz', 'metrics'])
        expect((await fetch(`${admin}/${page}`)).status).toBe(200);
    }
  });

  test('keeps a second one off its folder', async () => {
    const second = launch(['--port', String(stackPort + 300), '--data-dir', dataDir]);
    expect(await second.ended()).toBe(1);
    expect(second.errors).toMatch(/^another stack \(pid \d+\) runs on .*\n$/);
    expect(living(pidsOf(readStack(dataDir)))).toHaveLength(5);
  });

  test.each(['gateway', 'core', 'redis', 'postgres'] as const)(
    'starts a killed %s again at once, and stack.json names its new pid',
    async (what) => {
      const pid = () => {
        const stack = readStack(dataDir);
        const { gateways, cores, redises, postgres } = stack;
        const all = { gateway: gateways[1], core: cores[0], redis: redises[0], postgres };
        return all[what]?.pid as number;
      };
      const before = pid();
      process.kill(before, 'SIGKILL');
      await until('a new pid', pid, (now) => now !== before && living([now]).length === 1);
      // Without a pause: that would be named.
      const restarted = new RegExp(`\\(pid ${before}\\) ended: killed by SIGKILL; starting it again$`, 'm');
      await until(
        'the restart is told',
        () => launcher.output,
        (text) => restarted.test(text),
      );
      const { gateways, cores } = readStack(dataDir);
      await until('all ready', async () => {
        const answers = await Promise.all([...gateways, ...cores].map(({ admin }) => isReady(admin)));
        return answers.every(Boolean);
      });
    },
  );

  test('carries messages after all of that', async () => {
    const [one, two] = readStack(dataDir).gateways.map(({ url }) => url);
    await smokeTest(one as string, two as string, '000000');
  });
});

describe('a stack that has run', () => {
  const dataDir = join(folder, 'kept');
  const small = ['--gateways', '1'];
  const seeKept = (url: string) => query(url, 'SELECT * FROM kept');

  test.each([
    // At a terminal the whole group gets the signal, and npm passes it on as well: it arrives twice.
    ['Ctrl-C', (npm: Launcher) => process.kill(-(npm.child.pid as number), 'SIGINT')],
    ['SIGINT to npm alone', (npm: Launcher) => npm.child.kill('SIGINT')],
  ])('leaves no process after %s, and keeps its data', async (_title, interrupt) => {
    const npm = launch(argsFor(dataDir, ...small), { viaNpm: true });
    await npm.ready();
    const stack = readStack(dataDir);
    await query(stack.postgres.url, 'CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS one');
    interrupt(npm);
    expect(await npm.ended()).toBe(0);
    expect(npm.output).toMatch(/\nstopped\n$/);
    expect(living(pidsOf(stack))).toEqual([]);
    expect(hasStackFile(dataDir)).toBe(false);
  });

  test('is stopped at once by a second signal', async () => {
    const first = start(dataDir, ...small);
    await first.ready();
    const { gateways, ...others } = readStack(dataDir);
    // One that does not stop, so that the stack waits for it.
    process.kill(gateways[0]?.pid as number, 'SIGSTOP');
    first.child.kill('SIGINT');
    await until('it has the first one', () => first.output.includes('\nstopping'));
    // One that comes right after the first would count as the same.
    await pause(700);
    first.child.kill('SIGINT');
    expect(await first.ended()).toBe(1);
    // They were killed; the kernel takes a moment to clear away.
    await until('everything gone', () => living(pidsOf({ gateways, ...others })).length === 0);
  });

  test('stops by itself when its launcher is killed', async () => {
    const first = start(dataDir, ...small);
    await first.ready();
    expect(await seeKept(readStack(dataDir).postgres.url)).toEqual([{ one: 1 }]);
    const pids = pidsOf(readStack(dataDir));
    first.child.kill('SIGKILL');
    await until('everything gone', () => living(pids).length === 0);
    await until('stack.json gone', () => !hasStackFile(dataDir));
  });

  test('is cleared away when even its supervisor was killed, by the next start', async () => {
    const first = start(dataDir, ...small);
    await first.ready();
    const pids = pidsOf(readStack(dataDir));
    const { pid: supervisor } = JSON.parse(readFileSync(join(dataDir, 'run/launcher.lock'), 'utf8'));
    process.kill(supervisor, 'SIGKILL');
    await first.ended();
    expect(living(pids)).toHaveLength(4);

    const second = start(dataDir, ...small);
    await second.ready();
    expect(second.output).toContain('stopped what a killed stack had left running');
    expect(living(pids)).toEqual([]);
    expect(await seeKept(readStack(dataDir).postgres.url)).toEqual([{ one: 1 }]);
  });

  test('is empty after --fresh', async () => {
    const launcher = start(dataDir, '--fresh', ...small);
    await launcher.ready();
    await expect(seeKept(readStack(dataDir).postgres.url)).rejects.toThrow('does not exist');
  });
});

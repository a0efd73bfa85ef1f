import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

// Real processes need JavaScript: this package is compiled once, to where its dependencies resolve.
const packageDir = join(import.meta.dirname, '..');
const copyDir = join(packageDir, 'node_modules', '.cache', `main-test-${process.pid}`);
const outDir = join(copyDir, 'dist');
const tsc = join(packageDir, '..', '..', 'node_modules', '.bin', 'tsc');

beforeAll(() => {
  execFileSync(tsc, ['-p', join(packageDir, 'tsconfig.build.json'), '--outDir', outDir], {
    stdio: 'inherit',
  });
  writeFileSync(join(copyDir, 'package.json'), '{ "type": "module", "version": "9.8.7" }');
});

afterAll(() => rmSync(copyDir, { recursive: true, force: true }));

/** A process whose `main.ts` starts like this; `start` has what ServiceContext has. */
function run(start: string, env: Record<string, string> = {}, args: string[] = []) {
  const program = `
    import { runMain } from ${JSON.stringify(join(outDir, 'index.js'))};
    import { z } from ${JSON.stringify(join(packageDir, 'node_modules/zod/index.js'))};
    const config = z.object({ GREETING: z.string().default('hello').describe('what it says') });
    await runMain({ name: 'greeter', config, async start({ config, log, lifecycle }) { ${start} } });
  `;
  const file = join(outDir, `main-${randomUUID()}.js`);
  writeFileSync(file, program);
  const child = spawn(process.execPath, [file, ...args], {
    env: { ADMIN_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const waiting: { part: string; found: (line: string) => void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const { part, found } of waiting) if (line.includes(part)) found(line);
  });
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  return {
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    line: (part: string) => new Promise<string>((found) => waiting.push({ part, found })),
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, lines, stderr })),
  };
}

const keepAlive = `const timer = setInterval(() => {}, 1e6); lifecycle.onClose('timer', () => clearInterval(timer));`;

describe('a process', () => {
  test.each([
    ['nothing is traced', {}, false],
    ['messages are traced', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }, true],
  ] as const)(
    'the SDK of OpenTelemetry is loaded only if messages are traced: %s',
    async (_, otel, isLoaded) => {
      const child = run(
        `
      const { createMetrics, openTracer, readConfig, tracingConfig } = await import('./index.js');
      const own = readConfig(tracingConfig, process.env);
      const tracer = await openTracer('greeter', { config: own, log, lifecycle, metrics: createMetrics({ role: 'greeter' }) });
      const { createRequire } = await import('node:module');
      const loaded = Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('sdk-trace'));
      log.info({ loaded, traces: tracer !== undefined }, 'looked');
      process.kill(process.pid, 'SIGTERM');
    `,
        otel,
      );
      expect(JSON.parse(await child.line('"msg":"looked"'))).toMatchObject({
        loaded: isLoaded,
        traces: isLoaded,
      });
      expect((await child.ended).code).toBe(0);
    },
  );

  test.each(['SIGTERM', 'SIGINT'] as const)('stops gracefully on %s, with code 0', async (signal) => {
    const child = run(`${keepAlive} lifecycle.onClose('work', () => log.info('work is done'));`);
    await child.line('"msg":"ready"');
    child.kill(signal);
    const { code, lines, stderr } = await child.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      'starting',
      'ready',
      'stopping',
      'work is done',
      'stopped',
    ]);
  });

  test('the same signal a second time ends it at once, with code 1', async () => {
    const child = run(
      `${keepAlive} lifecycle.onClose('work', () => new Promise(() => log.info('hanging')));`,
    );
    await child.line('"msg":"ready"');
    child.kill('SIGTERM');
    await child.line('"msg":"hanging"');
    child.kill('SIGTERM');
    expect((await child.ended).code).toBe(1);
  });

  test('the SIGTERM of a supervisor after a Ctrl-C that reached it too does not end it sooner', async () => {
    const untilSigterm = `new Promise((done) => { process.once('SIGTERM', done); log.info('at work'); })`;
    const child = run(`${keepAlive} lifecycle.onClose('work', () => ${untilSigterm});`);
    await child.line('"msg":"ready"');
    child.kill('SIGINT');
    await child.line('"msg":"at work"');
    child.kill('SIGTERM');
    expect((await child.ended).code).toBe(0);
  });

  test('what hangs beyond the deadline does not keep it, with code 1', async () => {
    const hanging = `${keepAlive} lifecycle.onClose('work', () => new Promise(() => {}));`;
    const child = run(hanging, { STOP_TIMEOUT_MS: '1' });
    await child.line('"msg":"ready"');
    child.kill('SIGTERM');
    const { code, lines } = await child.ended;
    expect(code).toBe(1);
    expect(lines.join('\n')).toContain('not stopped by the deadline');
  });

  test.each([
    ['an uncaught exception', `setImmediate(() => { throw new Error('oops 1.5550100'); });`],
    ['an unhandled rejection', `setImmediate(() => Promise.reject(new Error('oops 1.5550100')));`],
  ])('%s is logged as fatal, the graceful stop follows, with code 1', async (_what, break_) => {
    const { code, lines } = await run(
      `${keepAlive} ${break_} lifecycle.onClose('work', () => log.info('done'));`,
    ).ended;
    expect(code).toBe(1);
    const fatal = lines.map((line) => JSON.parse(line)).find(({ level }) => level === 'fatal');
    expect(fatal.err.message).toBe('oops 1.•••••00');
    expect(lines.join('\n')).toContain('"msg":"done"');
  });

  test('a start that fails ends it with code 1, after closing what was started', async () => {
    const { code, lines } = await run(
      `${keepAlive} lifecycle.onClose('work', () => log.info('closed')); throw new Error('no database');`,
    ).ended;
    expect(code).toBe(1);
    expect(lines.join('\n')).toMatch(/"closed"[\s\S]*no database/);
  });

  test('a stop during a start that it breaks is graceful all the same', async () => {
    const child = run(`await new Promise((resolve, reject) => {
      ${keepAlive} lifecycle.onClose('connection', () => reject(new Error('connection closed')));
      log.info('connecting');
    });`);
    await child.line('"msg":"connecting"');
    child.kill('SIGTERM');
    expect((await child.ended).code).toBe(0);
  });

  test('a bad config is plain lines on standard error, nothing else', async () => {
    const { code, lines, stderr } = await run('', { LOG_LEVEL: 'loud', ADMIN_PORT: '-1' }).ended;
    expect({ code, lines }).toEqual({ code: 1, lines: [] });
    expect(stderr).toBe(
      'greeter: LOG_LEVEL must be fatal or error or warn or info or debug or trace or silent, not "loud"\n' +
        'greeter: ADMIN_PORT must be a port from 0 to 65535, not "-1"\n',
    );
  });

  test('an admin port in use is one plain line', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { code, stderr } = await run('', { ADMIN_PORT: String(port) }).ended;
    server.close();
    expect({ code, stderr }).toEqual({ code: 1, stderr: `greeter: port ${port} is in use (ADMIN_PORT)\n` });
  });

  test('--help prints the variables and starts nothing', async () => {
    const { code, lines } = await run(`log.info('started')`, { ADMIN_PORT: 'nonsense' }, ['--help']).ended;
    expect(code).toBe(0);
    expect(lines.join('\n')).toMatch(/ADMIN_PORT .*\n(.*\n)* *GREETING +default hello +what it says/);
    expect(lines.join('\n')).not.toContain('started');
  });

  test('--version prints the release, which is in the first line of the log too', async () => {
    expect((await run('', {}, ['--version']).ended).lines).toEqual(['greeter 9.8.7']);
    const child = run(keepAlive);
    expect(JSON.parse(await child.line('"msg":"starting"'))).toMatchObject({ release: '9.8.7' });
    child.kill('SIGTERM');
    await child.ended;
  });

  test('--config prints what it would start with, from where and without secrets, and starts nothing', async () => {
    const env = { GREETING: 'good day', GREETINGS: 'hi' };
    const { code, lines } = await run(`log.info('started')`, env, ['--config']).ended;
    const { variables, ...rest } = JSON.parse(lines.join('\n'));
    expect([code, rest]).toEqual([
      0,
      {
        name: 'greeter',
        release: '9.8.7',
        faults: [],
        warnings: ['nothing reads the variable GREETINGS: did you mean GREETING?'],
      },
    ]);
    expect(variables).toContainEqual({ variable: 'GREETING', from: 'environment', value: 'good day' });
    expect(variables).toContainEqual({ variable: 'LOG_LEVEL', from: 'default', value: 'info' });
  });

  test('--config fails with what is wrong', async () => {
    const { code, lines } = await run('', { ADMIN_PORT: 'nonsense' }, ['--config']).ended;
    const { faults } = JSON.parse(lines.join('\n'));
    expect([code, faults]).toEqual([1, [expect.stringMatching(/^greeter: ADMIN_PORT must be a port/)]]);
  });

  test('warns at its start of a variable that nobody reads', async () => {
    const child = run(keepAlive, { GREETER_SPEED: '3' });
    expect(JSON.parse(await child.line('GREETER_SPEED'))).toMatchObject({
      level: 'warn',
      msg: 'nothing reads the variable GREETER_SPEED (see --help)',
    });
    child.kill('SIGTERM');
    await child.ended;
  });

  test('an unknown argument is refused', async () => {
    const { code, stderr } = await run('', {}, ['--port', '1']).ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'greeter: unknown argument --port (see --help)\n' });
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runIn } from './namespace.mjs';
import { clone } from './root.mjs';

// The last range of ports that a test run can have (tools/testkit: global-setup.ts): runs outside the root do not see this one's.
const testSlot = '11';
/**
 * What a terminal does: it gives a command a process group of its own, and Ctrl-C goes to all of the group. Here any
 * line on standard input is the Ctrl-C.
 */
const terminal = `
  const { spawn } = require('node:child_process');
  const [program, ...args] = process.argv.slice(1);
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
  process.stdin.once('data', () => process.kill(-child.pid, 'SIGINT'));
  child.on('exit', (code) => process.exit(code ?? 1));
`;

/** `npm start` at a terminal until it is ready, Ctrl-C; and the same once more, when all is installed. */
export async function startAndStop(root, options) {
  const first = await startOnce(root, options);
  if (!first.isGood) return first;
  const second = await startOnce(root, options);
  return { ...second, result: `ready after ${first.seconds} s, again after ${second.seconds} s` };
}

async function startOnce(root, { port, uws, timeoutMs }) {
  const startedAt = Date.now();
  let readyAt;
  const command = ['node', '-e', terminal, 'npm', 'start', '--', '--port', port];
  const { code, output } = await runIn(root, command, {
    cwd: clone,
    timeoutMs,
    env: { UWEBSOCKETS: uws },
    onOutput(text, type) {
      if (readyAt !== undefined || !text.includes('is ready')) return;
      readyAt = Date.now();
      type('Ctrl-C\n');
    },
  });
  const isGood = readyAt !== undefined && code === 0 && /\nstopped\n/.test(output);
  const seconds = ((readyAt - startedAt) / 1000).toFixed(0);
  const why =
    readyAt === undefined ? `not ready, exit code ${code}` : `ready, but Ctrl-C ended it with ${code}`;
  return {
    isGood,
    seconds,
    ranOn: ranOn(root),
    result: isGood ? `ready after ${seconds} s` : `${why}: see ${root.log}`,
  };
}

/** What the first gateway's log says that it runs on. */
function ranOn({ path }) {
  try {
    const log = readFileSync(join(path, clone, '.data/log/gateway-1.log'), 'utf8');
    const line = log.split('\n').find((text) => text.includes('"uwebsockets"'));
    const { node, uwebsockets } = JSON.parse(line);
    return `Node ${node}, uWebSockets.js ${uwebsockets}`;
  } catch {
    return '';
  }
}

export async function runTests(root, { part, uws, timeoutMs }) {
  const startedAt = Date.now();
  const command = ['npm', 'test', ...(part ? ['--', ...part.split(' ')] : [])];
  const env = { CI: 'true', HOOLIGRAM_TEST_SLOT: testSlot, UWEBSOCKETS: uws };
  const { code, output } = await runIn(root, command, { cwd: clone, timeoutMs, env });
  const [, counts = 'no test ran'] = /^Tests:\s+(.*)$/m.exec(output) ?? [];
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  const failed = [...output.matchAll(/^FAIL (\S+)/gm)].map(([, file]) => file);
  const log =
    code === 0
      ? ''
      : `, exit code ${code}: see ${root.log}${failed.length ? ` (${[...new Set(failed)].join(', ')})` : ''}`;
  return { isGood: code === 0, result: `${counts} after ${seconds} s${log}` };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { patienceMs, startSystem, type TestSystem } from '@hooligram/testkit';
import { startBrowser } from '@hooligram/testkit/browser';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { nodeOf, run } from './nodes.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const readme = readFileSync(here('../README.md'), 'utf8');
const example = (language: string) => readme.split(`\`\`\`${language}\n`)[1]?.split('```')[0] ?? '';

/** What the page of the README has, and is not said there: as the person's app would have it. */
const app = `
import type { Group, Message } from '@hooligram/client';
const seen = { statuses: [] as string[], groups: [] as Group[], messages: [] as Message[] };
Object.assign(globalThis, { seen });
const showStatus = (status: string) => seen.statuses.push(status);
const showWhetherKept = (isKept: boolean) => seen.statuses.push(isKept ? 'kept' : 'not kept');
const showGroup = (group: Group) => seen.groups.push(group);
const removeGroup = (groupId: number) => { seen.groups = seen.groups.filter((group) => group.group_id !== groupId); };
const saveMessage = async (message: Message) => seen.messages.push(message);
const askForCode = async () => '000000';
`;

/** Versions of Node, and the telephones of their bots. */
const bots = [
  ['20.20.2', '44', '7700900123'],
  ['22.23.3', '49', '15550111'],
  ['24.21.0', '33', '612345678'],
] as const;

let project: string;
let system: TestSystem;
let browser: Browser;
const running: ChildProcess[] = [];

/** An empty folder into which npm has installed what `npm pack` made. */
function install(): string {
  const dir = mkdtempSync(join(tmpdir(), 'hooligram-package-'));
  const room = join(dir, 'room');
  mkdirSync(room);
  for (const name of ['package.json', 'README.md', 'pack.mjs', 'dist']) {
    cpSync(here(`../${name}`), join(room, name), { recursive: true });
  }
  const tarball = run('npm', ['pack', '--silent', '--pack-destination', dir], room).trim().split('\n').at(-1);
  const own = join(dir, 'project');
  mkdirSync(own);
  writeFileSync(join(own, 'package.json'), JSON.stringify({ name: 'somebody', type: 'module' }));
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', `../${tarball}`], own);
  return own;
}

beforeAll(async () => {
  project = install();
  // The first run on a machine fetches them, which takes its time.
  for (const [version] of bots) nodeOf(version);
  // One after the other: while the first fails, the second would start on ports that the next file takes.
  browser = await startBrowser();
  system = await startSystem({ gateways: 1, cores: 1 });
}, 1_200_000);

afterAll(async () => {
  for (const bot of running) bot.kill('SIGKILL');
  await browser?.close();
  await system?.stop();
  rmSync(join(project, '..'), { recursive: true });
});

describe('what npm pack makes', () => {
  test('needs no other package, and has nothing of this repository but itself', () => {
    const dir = join(project, 'node_modules/@hooligram/client');
    const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
    expect(Object.keys(manifest)).not.toContain('devDependencies');
    expect(Object.keys(manifest)).not.toContain('dependencies');
    expect(readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      '@hooligram',
    ]);
    const texts = readdirSync(dir, { recursive: true })
      .map(String)
      .filter((name) => /\.(js|ts|json)$/.test(name))
      .map((name) => readFileSync(join(dir, name), 'utf8'));
    for (const text of texts)
      expect(text).not.toMatch(/workspace:|catalog:|from '(?!\.)|@hooligram\/(?!client)|zod/);
  });

  test.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('is compiled by somebody without types of Node or a browser, module %s', (module, moduleResolution) => {
    const page = example('ts').replace('import {', `${app.replaceAll('globalThis', '{}')}\nimport {`);
    writeFileSync(join(project, 'page.ts'), page);
    const options = {
      target: 'es2022',
      lib: ['es2022'],
      types: [],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
    };
    const tsconfig = { compilerOptions: { ...options, module, moduleResolution }, files: ['page.ts'] };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(tsconfig));
    run(here('../../../node_modules/.bin/tsc'), ['-p', '.'], project);
  });

  test('chats in Node 20, 22, 24 and a browser, as its README says; and lets go of a process that closes it', async () => {
    const started = await Promise.all(
      bots.map(([version, country, number]) => startBot(version, country, number)),
    );
    const server = createServer((_, response) => response.end('<!doctype html><title>page</title>'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const page = await browser.newPage();
    page.setDefaultTimeout(patienceMs);
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.addScriptTag({ type: 'module', content: await bundledPage() });
    const contents = () => page.evaluate('globalThis.seen?.messages.map(({ content }) => content)');
    await page.waitForFunction('globalThis.seen?.messages.length === 4');
    expect(await contents()).toEqual(['Eight o’clock at the bridge?', 'Yes.', 'Yes.', 'Yes.']);
    for (const bot of started) bot.kill('SIGTERM');
    expect(await Promise.all(started.map((bot) => bot.exitCode ?? once(bot, 'exit')))).toEqual(
      bots.map(() => [0, null]),
    );
    await page.close();
    server.close();
  });
});

/** The README's page with its app, for a browser. */
async function bundledPage(): Promise<string> {
  const source = example('ts').replace('wss://chat.example/v2', system.gateway(0).url);
  const { outputFiles } = await build({
    stdin: { contents: app + source, resolveDir: project, loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

/** The README's bot, on a Node of that version. @returns when it has signed in */
async function startBot(version: string, country: string, number: string): Promise<ChildProcess> {
  const isWithoutWebSocket = version.startsWith('20.');
  const file = join(project, `bot-${version}.js`);
  const source = isWithoutWebSocket
    ? `import { WebSocket } from 'ws';\n${example('js').replace('{ url }', '{ url, WebSocket }')}`
    : example('js');
  writeFileSync(file, source);
  if (isWithoutWebSocket) symlinkSync(here('../node_modules/ws'), join(project, 'node_modules/ws'));
  const bot = spawn(nodeOf(version), [file, system.gateway(0).url, country, number, '000000'], {
    cwd: project,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(bot);
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const hear = (data: Buffer) => {
      said += data;
      if (said.includes('signed-in')) resolve();
    };
    bot.stdout.on('data', hear);
    bot.stderr.on('data', hear);
    bot.on('exit', () => reject(new Error(`Node ${version} ended: ${said}`)));
  });
  return bot;
}

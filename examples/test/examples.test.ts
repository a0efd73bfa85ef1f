import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { connect, patienceMs, startSystem, type TestSystem, uniqueSid } from '@hooligram/testkit';
import { startBrowser } from '@hooligram/testkit/browser';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import sirv from 'sirv';

const root = fileURLToPath(new URL('../../', import.meta.url));
let system: TestSystem;

beforeAll(async () => {
  system = await startSystem({ gateways: 1, cores: 1 });
});

afterAll(() => system?.stop());

async function newUser() {
  const sid = uniqueSid();
  const client = await connect(system.url);
  await client.signIn(sid);
  return { sid, client };
}

test('the bot answers a message backwards, and ends at Ctrl-C', async () => {
  const botSid = uniqueSid();
  const bot = spawn(process.execPath, ['examples/bot.js', system.url, botSid], {
    cwd: root,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(bot, 'exit');
  await new Promise<void>((resolve) => {
    bot.stdout.on('data', (lines) => String(lines).includes('signed-in') && resolve());
  });
  const { sid, client } = await newUser();
  const { payload } = await client.requestOk('GROUP_CREATE_REQUEST', {
    group_name: '',
    member_sids: [sid, botSid],
  });
  await client.requestOk('MESSAGING_SEND_REQUEST', { group_id: payload.group_id, content: 'stressed' });
  const answer = await client.next(
    ({ type, payload: { sender_sid } }) => type === 'MESSAGING_DELIVER_REQUEST' && sender_sid === botSid,
  );
  expect(answer.payload.content).toBe('desserts');
  bot.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  await client.close();
});

test('the page without a build step sends and shows messages', async () => {
  const { sid, client } = await newUser();
  const files = sirv(root, { dev: true });
  const server: Server = createServer((request, response) => files(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const browser = await startBrowser();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(patienceMs);
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/examples/page.html?url=${system.url}`);
    await page.getByLabel('Own sid').fill(uniqueSid());
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('status').filter({ hasText: 'signed-in' }).waitFor();
    await page.getByLabel('To sid').fill(sid);
    await page.getByLabel('Message').fill('no build at all');
    await page.getByRole('button', { name: 'Send' }).click();
    const { payload } = await client.next('MESSAGING_DELIVER_REQUEST');
    expect(payload.content).toBe('no build at all');
    await client.requestOk('MESSAGING_SEND_REQUEST', { group_id: payload.group_id, content: 'none' });
    await page
      .getByRole('listitem')
      .filter({ hasText: `${sid}: none` })
      .waitFor();
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
  // On a machine without Chromium it is installed first.
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
// By path: testkit depends on this package, so this one cannot name it among its dependencies.
import { freePorts } from '../../testkit/src/free-ports.ts';
import { serveWeb, type WebServer } from '../src/web-server.ts';

const servers = { port: 8080, gateways: [{ name: 'gateway-1', port: 8081 }] };
let url: string;
let web: WebServer;

beforeAll(async () => {
  const [port = 0] = await freePorts(1);
  url = `http://127.0.0.1:${port}`;
  web = await serveWeb('127.0.0.1', port, servers);
});

afterAll(() => web.close());

describe('the page', () => {
  test('is asked for again at every visit, and not sent again while it is the same', async () => {
    const first = await fetch(url);
    expect(first.status).toBe(200);
    expect(first.headers.get('content-type')).toBe('text/html;charset=utf-8');
    expect(first.headers.get('cache-control')).toBe('no-cache');
    expect(first.headers.get('content-security-policy')).toBe("frame-ancestors 'none'");
    expect(first.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(first.headers.get('permissions-policy')).toContain('camera=(), ');
    const again = await fetch(url, { headers: { 'If-None-Match': first.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
  });

  test('names files by their content, which may be kept for ever', async () => {
    const page = await (await fetch(url)).text();
    const [, script = ''] = /src="(\/assets\/[^"]+\.js)"/.exec(page) ?? [];
    const answer = await fetch(url + script);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('javascript');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('allows itself nothing from elsewhere', async () => {
    const page = await (await fetch(url)).text();
    expect(page).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect([...page.matchAll(/(?:src|href)="(?!\/)/g)]).toEqual([]);
  });
});

test('a page that is built again under the server is served as it is now', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hooligram-page-'));
  const page = (script: string) => `<script src="/assets/${script}.js"></script>`;
  const build = async (script: string) => {
    await rm(folder, { recursive: true });
    await mkdir(join(folder, 'assets'), { recursive: true });
    await writeFile(join(folder, 'index.html'), page(script));
    await writeFile(join(folder, 'assets', `${script}.js`), `'${script}'`);
  };
  await build('first');
  const [port = 0] = await freePorts(1);
  const own = await serveWeb('127.0.0.1', port, servers, folder);
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return [answer.status, await answer.text()];
  };
  expect(await get('/')).toEqual([200, page('first')]);
  await build('second-one');
  expect(await get('/')).toEqual([200, page('second-one')]);
  expect(await get('/assets/second-one.js')).toEqual([200, "'second-one'"]);
  expect(await get('/assets/first.js')).toEqual([404, 'not found\n']);
  await own.close();
  await rm(folder, { recursive: true });
});

test('tells where the gateways are', async () => {
  const answer = await fetch(`${url}/servers.json`);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(await answer.json()).toEqual(servers);
});

test.each(['/assets/gone.js', '/nothing', '/../package.json', '/%2e%2e/package.json', '/%'])(
  'has nothing at %s',
  async (path) => {
    expect((await fetch(url + path)).status).toBe(404);
  },
);

test('takes nothing', async () => {
  const answer = await fetch(url, { method: 'POST', body: 'x' });
  expect(answer.status).toBe(405);
  expect(answer.headers.get('allow')).toBe('GET, HEAD');
});

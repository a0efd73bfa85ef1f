import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { type Admin, startAdmin } from './admin.ts';
import type { Readiness } from './lifecycle.ts';
import { createMetrics } from './metrics.ts';

const metrics = createMetrics({ role: 'gateway' });
const open: Admin[] = [];
let readiness: Readiness = { ready: true, checks: {} };

async function start(port = 0, token?: string): Promise<Admin> {
  const admin = await startAdmin({ host: '127.0.0.1', port, metrics, ready: () => readiness, token });
  open.push(admin);
  return admin;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((admin) => admin.close()));
});

test('/healthz answers 200 while the process lives', async () => {
  const { url } = await start();
  const response = await fetch(`${url}/healthz`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ healthy: true });
});

test('/readyz names each check, with 200 or 503', async () => {
  const { url } = await start();
  readiness = { ready: false, checks: { redis: 'connecting' } };
  const refused = await fetch(`${url}/readyz?verbose`);
  expect(refused.status).toBe(503);
  expect(await refused.json()).toEqual({ ready: false, checks: { redis: 'connecting' } });
  readiness = { ready: true, checks: { redis: 'ok' } };
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
});

test('/metrics has the process and our own metrics, with prefix and role', async () => {
  metrics.counter('frames_total', 'Frames', ['direction']).inc({ direction: 'in' }, 3);
  metrics.observed('sessions', 'Open sessions', () => 7);
  metrics.histogram('answer_seconds', 'Time to the answer', { buckets: [0.1, 1] }).observe(0.5);
  const { url } = await start();
  const response = await fetch(`${url}/metrics`);
  const text = await response.text();
  expect(response.headers.get('content-type')).toContain('text/plain');
  expect(text).toContain('hooligram_frames_total{direction="in",role="gateway"} 3');
  expect(text).toContain('hooligram_sessions{role="gateway"} 7');
  expect(text).toContain('hooligram_answer_seconds_bucket{le="1",role="gateway"} 1');
  expect(text).toContain('process_resident_memory_bytes{role="gateway"}');
});

test('a page in a browser of this machine that calls the loopback address by a name of its own gets nothing', async () => {
  const { port } = await start();
  const statusFor = async (host: string) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    return answer.slice(9, 12);
  };
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, '[::1]:80', 'LOCALHOST']) {
    expect(await statusFor(host)).toBe('200');
  }
  for (const host of [`evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example', '']) {
    expect(await statusFor(host)).toBe('403');
  }
});

test('with a token, metrics are for who has it; the answers for orchestrators are not', async () => {
  const { url } = await start(0, 'a-token-of-some-length');
  const as = async (authorization: string, path = '/metrics') =>
    (await fetch(`${url}${path}`, { headers: { authorization } })).status;
  expect(await as('Bearer a-token-of-some-length')).toBe(200);
  for (const wrong of ['', 'Bearer', 'Bearer a-token-of-some-lengt', 'Basic a-token-of-some-length']) {
    expect(await as(wrong)).toBe(401);
    expect(await as(wrong, '/metrics?x')).toBe(401);
    expect(await as(wrong, '/healthz')).toBe(200);
  }
});

test('any other path is 404 and tells which there are; other methods are refused', async () => {
  const { url } = await start();
  const lost = await fetch(`${url}/toString`);
  expect(lost.status).toBe(404);
  expect(await lost.json()).toEqual({ paths: ['/healthz', '/readyz', '/metrics'] });
  expect((await fetch(`${url}/healthz`, { method: 'POST' })).status).toBe(405);
});

test('a port in use is one clear line', async () => {
  const { port } = await start();
  await expect(start(port)).rejects.toThrow(new RegExp(`^port ${port} is in use \\(ADMIN_PORT\\)$`));
});

test('a connection is kept until the next scrape, a minute later', async () => {
  const { url } = await start();
  const { headers } = await fetch(`${url}/metrics`);
  expect(headers.get('connection')).toBe('keep-alive');
  expect(headers.get('keep-alive')).toBe('timeout=65');
});

test('close ends at once connections that are kept alive, that never asked, and whose answer is under way', async () => {
  let asked = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const admin = await startAdmin({
    ...{ host: '127.0.0.1', port: 0, metrics },
    ready() {
      asked();
      return new Promise<Readiness>(() => {});
    },
  });
  const dial = async () => {
    const socket = connect(admin.port, '127.0.0.1');
    const closed = once(socket, 'close');
    await once(socket, 'connect');
    return { socket, closed };
  };
  const [kept, silent, waiting] = [await dial(), await dial(), await dial()];
  kept.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(kept.socket, 'data');
  waiting.socket.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await isAsked;
  await Promise.all([admin.close(), kept.closed, silent.closed, waiting.closed]);
});

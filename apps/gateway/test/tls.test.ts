import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificate, connect, makeCertificate, type TestClient } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, Fixture, metric } from './fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'hooligram-tls-'));
const files = { TLS_CERT_FILE: join(folder, 'used.crt'), TLS_KEY_FILE: join(folder, 'used.key') };
let fixture: Fixture;
let first: Certificate;
let second: Certificate;
const open: TestClient[] = [];

beforeAll(async () => {
  [first, second] = await Promise.all([makeCertificate(folder, 'first'), makeCertificate(folder, 'second')]);
  put(first);
  fixture = await Fixture.start({ ...files, HANDSHAKES_PER_SECOND_MAX: '10' });
  fixture.answerPages();
});

afterAll(async () => {
  for (const client of open) client.terminate();
  await fixture?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function put({ certFile, keyFile }: Certificate): void {
  copyFileSync(certFile, files.TLS_CERT_FILE);
  copyFileSync(keyFile, files.TLS_KEY_FILE);
}

const secure = (url: string) => url.replace('ws:', 'wss:');

/** A client that believes this certificate alone, on the gateway's own port or on the shared one. */
async function under({ certFile }: Certificate, url = fixture.system.gateway(0).url): Promise<TestClient> {
  const client = await connect(secure(url), { ca: readFileSync(certFile, 'utf8'), acknowledge: false });
  open.push(client);
  return client;
}

const expiry = () => metric(fixture.system.gateway(0), 'gateway_certificate_expires_seconds');
const said = (text: string) => eventually(() => fixture.system.gateway(0).log().includes(text), text);

test('with a certificate a gateway takes connections over TLS, and no plain ones', async () => {
  for (const url of [fixture.system.gateway(0).url, fixture.system.url]) {
    await (await under(first, url)).roundTrip();
    await expect(under(second, url)).rejects.toThrow('self-signed certificate');
    await expect(connect(url)).rejects.toThrow();
  }
  expect(await expiry()).toBeGreaterThan(Date.now() / 1_000);
});

test('a handshake that waits is upgraded under TLS, too', async () => {
  await eventually(async () => {
    const clients = await Promise.all([0, 1, 2, 3].map(() => under(first)));
    await Promise.all(clients.map((client) => client.roundTrip()));
    return (await metric(fixture.system.gateway(0), 'gateway_handshake_wait_seconds_count')) > 0;
  }, 'one has waited');
});

test('on SIGHUP new connections get the new certificate, and those that are open keep theirs and every message', async () => {
  const gateway = fixture.system.gateway(0);
  const [ada, bob] = [fixture.user(), fixture.user()];
  const group = fixture.group([ada, bob]);
  const older = await under(first);
  await fixture.signIn(older, ada, [group]);
  put(second);
  gateway.process.kill('SIGHUP');
  await said('new connections get the certificate');
  for (const url of [gateway.url, fixture.system.url]) {
    await (await under(second, url)).roundTrip();
    await expect(under(first, url)).rejects.toThrow('self-signed certificate');
  }
  const newer = await under(second);
  await fixture.signIn(newer, bob, [group]);
  for (const message of [group.store(), group.store()]) {
    await fixture.core.publish.message(message);
    for (const client of [older, newer]) {
      await client.next(({ payload }) => payload.message_id === message.message_id);
    }
  }
});

test('what is no certificate is refused, and the one before stays', async () => {
  copyFileSync(first.keyFile, files.TLS_KEY_FILE);
  fixture.system.gateway(0).process.kill('SIGHUP');
  await said('the certificate stays as it was');
  await (await under(second)).roundTrip();
  writeFileSync(files.TLS_CERT_FILE, 'none');
  await expect(fixture.system.addGateway(files)).rejects.toThrow('gateway: TLS_CERT_FILE, TLS_KEY_FILE: ');
});

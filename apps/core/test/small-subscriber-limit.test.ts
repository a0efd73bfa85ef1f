import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDb } from '@hooligram/db';
import { startRedis } from '@hooligram/local';
import { connect, freePorts, startSystem, type TestClient, uniqueSid } from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterEach, expect, test } from '@jest/globals';
import { createGroup } from './fixture.ts';

const readers = 12;
const groups = 4;
/** A page of each group: each message becomes some 65 KB. All pages of all readers are 12 MB. */
const messages = 4;
const controlCharacters = 9_000;
const limitBytes = 524_288;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = closers.pop(); close; close = closers.pop()) await close();
});

/**
 * A Redis of the test's own that closes a subscriber which leaves half a mebibyte unread, and a gateway that reads from it slowly, and
 * has half of that as its credit.
 */
async function startSystemOnStrictRedis() {
  const dir = mkdtempSync(join(tmpdir(), 'hooligram-strict-redis-'));
  closers.push(() => rmSync(dir, { recursive: true, force: true }));
  const [port = 0] = await freePorts(1);
  const settings = { 'client-output-buffer-limit': `pubsub ${limitBytes} 0 0` };
  const own = await startRedis({ dataDir: dir, logDir: dir, port, restart: false, settings });
  closers.push(() => own.stop());
  const proxy = await FaultyTcpProxy.start(own.url, { link: { bytesPerSecond: 16_000_000, delayMs: 1 } });
  closers.push(() => proxy.stop());
  const system = await startSystem({
    ...{ gateways: 1, env: { REDIS_URL: own.url } },
    gatewayEnv: {
      ...{ REDIS_URL: proxy.urlOf(own.url), ANSWER_CREDIT_BYTES: String(limitBytes / 2) },
      // What a client has not acknowledged bounds nothing here.
      ...{ REPLAY_WINDOW_BYTES: String(64 * limitBytes) },
    },
  });
  closers.push(() => system.stop());
  const db = openDb({ url: system.databaseUrl, applicationName: 'test' });
  closers.push(() => db.close());
  const redisLog = () => readFileSync(join(dir, 'redis.log'), 'utf8');
  return { redisLog, system, db };
}

/** Which messages of which groups came, in the order in which each came first. */
function received(client: TestClient): string[] {
  const all = client
    .received('MESSAGING_DELIVER_REQUEST')
    .map(({ payload }) => `${payload.group_id} ${Number.parseInt(payload.content ?? '', 10)}`);
  return [...new Set(all)];
}

test('of a dozen who come back to pages that grow sevenfold, all get everything, and Redis cuts nobody off for what is unread', async () => {
  const { redisLog, system, db } = await startSystemOnStrictRedis();
  const gateway = system.gateway(0);
  const sids = Array.from({ length: readers }, () => uniqueSid());
  for (const sid of sids) {
    const client = await connect(gateway.url);
    await client.signIn(sid);
    client.terminate();
  }
  const ada = { sid: uniqueSid(), client: await connect(gateway.url) };
  await ada.client.signIn(ada.sid);
  const ids: number[] = [];
  while (ids.length < groups) ids.push(await createGroup(ada, sids));
  ada.client.terminate();
  await db.pool.query(
    `WITH raised AS (UPDATE "group" SET last_seq = $2 WHERE id = ANY ($1))
     INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
     SELECT nextval('message_id_seq'), g, seq, (SELECT id FROM "user" WHERE sid = $3), gen_random_uuid(),
       seq || ' ' || repeat(chr(1), $4), now()
     FROM unnest($1::bigint[]) g, generate_series(1, $2::bigint) seq ORDER BY g, seq`,
    [ids, messages, ada.sid, controlCharacters],
  );
  const expected = ids.flatMap((id) => Array.from({ length: messages }, (_, at) => `${id} ${at + 1}`));
  const clients = await Promise.all(sids.map(() => connect(gateway.url)));
  closers.push(() => clients.map((client) => client.terminate()));
  await Promise.all(clients.map((client, at) => client.authorize(sids[at] as string)));
  for (const client of clients) {
    await client.waitFor(() => received(client).length === expected.length);
    for (const id of ids) {
      const ofGroup = (all: readonly string[]) => all.filter((one) => one.startsWith(`${id} `));
      expect(ofGroup(received(client))).toEqual(ofGroup(expected));
    }
  }
  expect(redisLog()).toContain('Ready to accept connections');
  expect(redisLog()).not.toContain('overcoming of output buffer limits');
});

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  cursorRaise,
  type Db,
  groupCreate as makeGroup,
  messagingSend,
  openDb,
  readCredentials,
} from '@hooligram/db';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  contents,
  createGroup,
  messagesOnly,
  nothing,
  receiveMessage,
  sendMessage,
  startFixture,
  stateOf,
  until,
} from './fixture.ts';

const fixture = startFixture({ gateways: 1, cores: 1 });
const program = fileURLToPath(new URL('../dist/canonical-sids.js', import.meta.url));
const run = promisify(execFile);
let db: Db;

beforeAll(() => {
  db = openDb({ url: fixture.system.databaseUrl, poolSize: 2, applicationName: 'canonical-sids-test' });
});
afterAll(() => db?.close());

type Ran = { readonly code: number; readonly lines: readonly string[] };

async function canonicalSids(...args: string[]): Promise<Ran> {
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    DATABASE_URL: fixture.system.databaseUrl,
    NUMBERS: 'possible',
  };
  const { code, stdout, stderr } = await run(process.execPath, [program, ...args], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  return { code, lines: `${stdout}${stderr}`.trim().split('\n') };
}

/** A user of a database from before country codes had to be assigned. */
async function old(sid: string): Promise<number> {
  await fixture.rows('INSERT INTO "user" (sid) VALUES ($1) ON CONFLICT DO NOTHING', [sid]);
  const [person] = await readCredentials(db, [sid]);
  return person?.user_id ?? 0;
}

async function group(sids: readonly string[], group_name = 'old'): Promise<number> {
  const [sid = ''] = sids;
  const user_id = await old(sid);
  const asked = { request_id: randomUUID(), repeatable: false, user_id, sid, group_name, member_sids: sids };
  const made = await makeGroup(db, asked);
  if (!made.ok) throw new Error(made.reason);
  return made.group_id;
}

async function store(sid: string, group_id: number, content: string): Promise<void> {
  const sender_id = await old(sid);
  await messagingSend(db, [{ sender_id, request_id: randomUUID(), repeatable: false, group_id, content }]);
}

const everything = () =>
  fixture.rows(
    `SELECT (SELECT json_agg(u ORDER BY id) FROM "user" u) AS people, (SELECT json_agg(g ORDER BY id) FROM "group" g) AS groups,
     (SELECT json_agg(m ORDER BY group_id, user_id) FROM group_member m) AS members,
     (SELECT json_agg(m ORDER BY id) FROM message m) AS messages`,
    [],
  );

test('users of codes that are not assigned get the sids of their telephones, and miss nothing', async () => {
  // Ada has verified 1.54828935, and is two more users. Bob's number is only written in another way. Eve is in all groups.
  const [ada, eve] = ['1.54828935', '888.12345550100'];
  for (const sid of [ada, eve]) await (await fixture.connect(0)).signIn(sid);
  const [second, third, bob] = ['15.4828935', '154.828935', '9.9512345678'];
  await Promise.all([second, third, bob].map(old));

  const both = await group([ada, second, eve], 'both of her');
  await store(eve, both, 'heard by one of her');
  const adaId = await old(ada);
  await cursorRaise(db, [{ user_id: adaId, group_id: both, delivered_seq: 1, delivered_version: 1 }]);
  const direct = await group([third, eve], '');
  await store(eve, direct, 'to her third self');
  await store(third, direct, 'from her third self');
  const herself = await group([ada, third], '');
  const bobs = await group([bob, eve, second], 'with Bob');
  await group(['999.5550100', eve, second], 'with nobody');

  const planned = [
    `${second} -> ${ada} becomes one with the user who has it, 3 groups`,
    `${third} -> ${ada} becomes one with the user who has it, 2 groups`,
    `${bob} -> 995.12345678 renamed, 1 groups`,
    '999.5550100 is no number of any country: stays in its groups, and cannot sign in',
    '1 renamed, 2 merged, 0 not possible, 1 that are no number',
  ];
  const before = await everything();
  const trial = await canonicalSids();
  expect(trial.code).toBe(0);
  expect([...trial.lines].sort()).toEqual(
    [...planned, 'nothing was changed: this was a trial; --apply does it'].sort(),
  );
  expect(await everything()).toEqual(before);
  expect(await canonicalSids('--apply')).toEqual({
    code: 1,
    lines: ['canonical-sids: a core is connected to this database: stop all cores and gateways first'],
  });

  await fixture.system.gateway(0).stop();
  await fixture.system.core(0).stop();
  await until('its sessions have ended', async () => {
    const sessions = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'hooligram-core'`;
    return (await fixture.rows(sessions, [])).length === 0;
  });
  expect([...(await canonicalSids('--apply')).lines].sort()).toEqual([...planned].sort());
  expect((await canonicalSids('--apply')).lines).toEqual([
    '999.5550100 is no number of any country: stays in its groups, and cannot sign in',
    '0 renamed, 0 merged, 0 not possible, 1 that are no number',
  ]);
  await fixture.system.core(0).start();
  await fixture.system.gateway(0).start();

  // Her own credential holds, and all of her groups and messages are there.
  const her = await fixture.returning(ada, 0, nothing);
  await stateOf(her, both, [ada, eve]);
  await stateOf(her, bobs, ['995.12345678', ada, eve]);
  expect((await stateOf(her, direct, [ada, eve])).payload.is_direct_message).toBe(true);
  await her.client.waitFor(() => contents(her).length === 3);
  expect([...contents(her)].sort()).toEqual([
    'from her third self',
    'heard by one of her',
    'to her third self',
  ]);
  expect(
    her.client
      .received('MESSAGING_DELIVER_REQUEST')
      .map(({ payload }) => payload.sender_sid)
      .sort(),
  ).toEqual([ada, eve, eve]);
  // The direct message is the one of the pair, and the one with herself is over.
  const another = await fixture.returning(eve, 0, messagesOnly);
  expect(await createGroup(another, [ada], '')).toBe(direct);
  await receiveMessage(her, await sendMessage(another, direct, 'are you there?'));
  expect(await fixture.rows('SELECT closed FROM "group" WHERE id = $1', [herself])).toEqual([
    { closed: true },
  ]);

  // Bob requests a code once.
  const client = await fixture.connect(0);
  await client.signIn('995.12345678');
  await stateOf({ sid: '995.12345678', client }, bobs, ['995.12345678', ada, eve]);
});

test('two open direct messages with the same user are not merged: one has to be left first', async () => {
  const [ada, other, eve] = ['44.7700900123', '44.07700900123', '888.12345550102'];
  const [one, two] = [await group([ada, eve], ''), await group([other, eve], '')];
  const { lines } = await canonicalSids();
  expect(lines).toContain(
    `${other} -> ${ada} not possible: both have an open direct message with the same person, groups ${two} and ${one}; one of the two has to be left first`,
  );
});

test('a flag that it does not know changes nothing', async () => {
  expect(await canonicalSids('--aply')).toEqual({
    code: 1,
    lines: ['canonical-sids: the only flag is --apply (see --help)'],
  });
  expect((await canonicalSids('--help')).lines[0]).toContain('Gives users whose sid');
});

import { errorTexts, transactions } from '@hooligram/protocol';
import { type TestClient, uniqueSid, until } from '@hooligram/testkit';
import { beforeAll, expect, test } from '@jest/globals';
import { createGroup, nothing, numberOf, startFixture } from './fixture.ts';

type Transactions = typeof transactions;
type RequestName = {
  [T in keyof Transactions]: Transactions[T]['sender'] extends 'client' ? T : never;
}[keyof Transactions];

/** Who sends the request. Each has a connection of their own; the newcomer of the old device is nobody to the server. */
const callers = [
  'nobody',
  'old credential',
  'stranger',
  'former member',
  'other connection',
  'member',
] as const;
type Caller = (typeof callers)[number];

/** What a request gets: an error, or SUCCESS and the tables that it may change. */
type Outcome = { readonly error: string } | { readonly changes: readonly string[] };

const refused = (name: keyof typeof errorTexts): Outcome => ({ error: errorTexts[name].text });
const changes = (...tables: readonly string[]): Outcome => ({ changes: tables });
const everyone = (outcome: Outcome): Record<Caller, Outcome> =>
  Object.fromEntries(callers.map((caller) => [caller, outcome])) as Record<Caller, Outcome>;
/** For a request about a group: nobody and who is not in it are refused, each connection of a member is served. */
const membersOnly = (stranger: Outcome, member: Outcome): Record<Caller, Outcome> => ({
  nobody: refused('notSignedIn'),
  'old credential': refused('notSignedIn'),
  stranger,
  'former member': stranger,
  'other connection': member,
  member,
});

/** What the requests are about: a group of the member and the owner, which the former member has left. */
type Scene = { readonly group_id: number };

const matrix: {
  [T in RequestName]: { payload(scene: Scene): object; outcomes: Record<Caller, Outcome> };
} = {
  // Anybody may ask for a code to a number. It touches nothing that the number has.
  VERIFICATION_REQUEST_CODE: {
    payload: () => numberOf(sids.member),
    outcomes: everyone(changes('verification_challenge')),
  },
  // The member has requested a code on the connection of the row "member", and on no other.
  VERIFICATION_SUBMIT_CODE: {
    payload: () => ({ verification_code: '111111' }),
    outcomes: { ...everyone(refused('noCodeRequested')), member: refused('wrongCode') },
  },
  // The member's right number and code.
  AUTHORIZATION_SIGN_IN: {
    payload: () => ({ ...numberOf(sids.member), verification_code: '000000' }),
    outcomes: {
      ...everyone(changes('credential')),
      stranger: refused('alreadySignedIn'),
      'former member': refused('alreadySignedIn'),
    },
  },
  GROUP_CREATE: {
    payload: () => ({ group_name: 'new', member_sids: [sids.member, sids.owner, sids['former member']] }),
    outcomes: {
      ...membersOnly(refused('creatorMissing'), changes('group', 'group_member')),
      'former member': changes('group', 'group_member'),
    },
  },
  GROUP_LEAVE: {
    payload: ({ group_id }) => ({ group_id }),
    outcomes: membersOnly(refused('notAMember'), changes('group', 'group_member')),
  },
  GROUP_ADD_MEMBER: {
    payload: ({ group_id }) => ({ group_id, member_sid: sids.stranger }),
    outcomes: membersOnly(refused('notAMember'), changes('group', 'group_member')),
  },
  MESSAGING_SEND: {
    payload: ({ group_id }) => ({ group_id, content: 'text' }),
    outcomes: membersOnly(refused('notAMember'), changes('group', 'message')),
  },
  CONN_KEEP_ALIVE: { payload: () => ({}), outcomes: everyone(changes()) },
};
const requestNames = Object.keys(matrix) as RequestName[];

const fixture = startFixture({
  gateways: 2,
  cores: 1,
  // Nothing in the tables changes by itself, but what cores note of their own work: no delivery is acknowledged, and none comes again.
  coreEnv: { DELIVERY_ACK_DEADLINE_MS: '600000' },
});

const sids = {
  owner: uniqueSid(),
  member: uniqueSid(),
  stranger: uniqueSid(),
  'former member': uniqueSid(),
  ended: uniqueSid(),
};
let tables: string[];
let oldToken: string;

beforeAll(async () => {
  const found = await fixture.rows<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name NOT IN ('sweep', 'upkeep')`,
    [],
  );
  tables = found.map(({ name }) => name);
  oldToken = await register(sids.ended);
  for (const sid of Object.values(sids)) await register(sid);
});

/** @returns the token of the number's new credential */
async function register(sid: string): Promise<string> {
  const client = await fixture.connect(0);
  await client.requestOk('VERIFICATION_REQUEST_CODE', numberOf(sid));
  const { payload } = await client.requestOk('VERIFICATION_SUBMIT_CODE', { verification_code: '000000' });
  client.terminate();
  return payload.token as string;
}

/** Every row of every table, by table. */
async function snapshot(): Promise<Map<string, string>> {
  const rows = await fixture.rows<{ name: string; content: string }>(
    tables
      .map(
        (name) =>
          `SELECT '${name}' AS name, coalesce(json_agg(t ORDER BY t::text), '[]')::text AS content FROM "${name}" t`,
      )
      .join(' UNION ALL '),
    [],
  );
  return new Map(rows.map(({ name, content }) => [name, content]));
}

/** @returns the names of the tables */
async function changedSince(before: Map<string, string>): Promise<string[]> {
  const after = await snapshot();
  return tables.filter((table) => after.get(table) !== before.get(table));
}

async function openScene(): Promise<Scene & { member: TestClient }> {
  const [owner, former, member] = await Promise.all([
    fixture.returning(sids.owner, 0, nothing),
    fixture.returning(sids['former member'], 1, nothing),
    fixture.returning(sids.member, 0, nothing),
  ]);
  const group_id = await createGroup(owner, [sids.member, sids['former member']]);
  await former.client.requestOk('GROUP_LEAVE', { group_id });
  await member.client.requestOk('VERIFICATION_REQUEST_CODE', numberOf(sids.member));
  return { group_id, member: member.client };
}

async function connectionOf(caller: Caller, member: TestClient): Promise<TestClient> {
  if (caller === 'member') return member;
  if (caller === 'other connection') return (await fixture.returning(sids.member, 1, nothing)).client;
  if (caller === 'stranger' || caller === 'former member') {
    return (await fixture.returning(sids[caller], 1, nothing)).client;
  }
  const client = await fixture.connect(1, nothing);
  if (caller === 'old credential') {
    const signIn = { ...numberOf(sids.ended), verification_code: oldToken };
    const { payload } = await client.request('AUTHORIZATION_SIGN_IN', signIn);
    expect(payload.errors).toEqual([errorTexts.wrongCredential.text]);
  }
  return client;
}

test('the matrix has every request that a client can make', () => {
  const clients = Object.entries(transactions).filter(([, { sender }]) => sender === 'client');
  expect(requestNames.sort()).toEqual(clients.map(([name]) => name).sort());
});

test.each(requestNames)('%s: each caller gets what they may have, and nothing else changes', async (name) => {
  const { payload, outcomes } = matrix[name];
  const isRefused = (caller: Caller) => 'error' in outcomes[caller];
  let scene = await openScene();
  // A request that is refused leaves the scene as it was, for the next caller.
  for (const caller of [...callers].sort((one, other) => +isRefused(other) - +isRefused(one))) {
    const client = await connectionOf(caller, scene.member);
    const before = await snapshot();
    const answer = await client.request(name, payload(scene));
    const outcome = outcomes[caller];
    if ('error' in outcome) {
      const { errors } = answer.payload;
      expect({ caller, type: answer.type, errors }).toEqual({
        ...{ caller, type: `${name}_FAILURE` },
        errors: [outcome.error],
      });
    } else expect({ caller, type: answer.type }).toEqual({ caller, type: `${name}_SUCCESS` });
    expect({ caller, changed: unexpected(await changedSince(before), outcome) }).toEqual({
      caller,
      changed: [],
    });
    if ('changes' in outcome && outcome.changes.length > 0) scene = await openScene();
  }
});

/** @returns the changed tables that an outcome does not allow */
function unexpected(changed: readonly string[], outcome: Outcome): string[] {
  const allowed = new Set('changes' in outcome ? outcome.changes : []);
  const error = 'error' in outcome ? outcome.error : '';
  // A wrong code counts against the challenge that it was meant for.
  if (error === errorTexts.wrongCode.text) allowed.add('verification_challenge');
  // The core keeps the answer to each request that it decides. The gateway alone refuses who is not signed in.
  if (error !== errorTexts.notSignedIn.text) allowed.add('request');
  return changed.filter((table) => !allowed.has(table));
}

test('who is not signed in is told so, whatever else is wrong with the request', async () => {
  const client = await fixture.connect(0, nothing);
  const before = await snapshot();
  for (const name of requestNames.filter((one) => transactions[one].needsSignIn)) {
    for (const payload of [{}, null, { group_id: 'x' }]) {
      const { payload: answer } = await client.request(name, payload);
      expect([name, answer.errors]).toEqual([name, [errorTexts.notSignedIn.text]]);
    }
  }
  expect(await changedSince(before)).toEqual([]);
});

test('a session that has ended and goes on sending gets 4401 and no answer, and changes nothing', async () => {
  const sid = uniqueSid();
  await register(sid);
  const { client } = await fixture.returning(sid, 0, nothing);
  const owner = await fixture.returning(sids.owner, 1, nothing);
  const group_id = await createGroup(owner, [sid, sids.member]);
  await client.next(({ payload }) => payload.group_id === group_id);
  const ended = () => fixture.counted('hooligram_gateway_sessions_ended_total');
  const endedBefore = await ended();
  // Does not see the close frame, so it takes the connection for open.
  client.socket.pause();
  await register(sid);
  await until('the session has ended', ended, (count) => count > endedBefore);
  const before = await snapshot();
  for (const name of requestNames) client.send(name, matrix[name].payload({ group_id }), `late ${name}`);
  // The server has had time for them when it has answered somebody else on the same gateway.
  await (await fixture.connect(0)).roundTrip();
  client.socket.resume();
  expect((await client.closed).code).toBe(4401);
  expect(client.frames.filter(({ id }) => id.startsWith('late'))).toEqual([]);
  expect(await changedSince(before)).toEqual([]);
});

test('an acknowledgement marks nothing for who was not sent the message, and nothing for other members', async () => {
  const { group_id, member } = await openScene();
  const owner = await fixture.returning(sids.owner, 0, nothing);
  const { payload } = await owner.client.requestOk('MESSAGING_SEND', { group_id, content: 'text' });
  const ignored = () => fixture.counted('hooligram_gateway_acknowledgements_ignored_total');
  const [before, ignoredBefore] = [await snapshot(), await ignored()];
  const acknowledge = { message_id: payload.message_id };
  for (const caller of callers.slice(0, 4)) {
    const client = await connectionOf(caller, member);
    client.send('MESSAGING_DELIVER_SUCCESS', acknowledge);
    client.send('GROUP_DELIVER_SUCCESS', { group_id });
    await client.roundTrip();
    const closed = client.closed;
    // What a connection has acknowledged is written when it closes.
    client.terminate();
    await closed;
  }
  // Two of each.
  await until('their acknowledgements are ignored', async () => (await ignored()) >= ignoredBefore + 8);
  expect(await changedSince(before)).toEqual([]);
  member.send('MESSAGING_DELIVER_SUCCESS', acknowledge);
  await fixture.untilAcknowledged(sids.member, group_id, { seq: 1 });
  const cursors = await fixture.rows<{ sid: string; seq: number }>(
    `SELECT u.sid, m.delivered_seq::int AS seq FROM group_member m JOIN "user" u ON u.id = m.user_id
     WHERE m.group_id = $1 ORDER BY seq`,
    [group_id],
  );
  expect(cursors).toEqual([
    { sid: sids.owner, seq: 0 },
    { sid: sids.member, seq: 1 },
  ]);
});

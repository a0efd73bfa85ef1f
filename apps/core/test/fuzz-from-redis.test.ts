import { randomUUID } from 'node:crypto';
import { openQueues } from '@hooligram/bus/queues';
import {
  connect,
  fuzzFactor,
  fuzzSeed,
  silentLog,
  type TestClient,
  uniqueSid,
  until,
} from '@hooligram/testkit';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { jobTypes } from '../src/retries/index.ts';
import { startFixture } from './fixture.ts';

const seed = fuzzSeed();
const factor = fuzzFactor();
const entries = 200 * factor;
const requestsPerEntry = 5;
const publicationsPerChannel = 300 * factor;
const jobsPerType = 50 * factor;
jest.setTimeout(900_000 * factor);

const fixture = startFixture({
  gateways: 1,
  cores: 1,
  // Room for so few requests that a place that is never freed is noticed.
  coreEnv: {
    ...{ CORE_REQUESTS_MAX: '20', CLAIM_IDLE_MS: '500', CLAIM_EVERY_MS: '50' },
    STATEMENT_TIMEOUT_MS: '4000',
  },
});

let pids: number[];
let ada: TestClient;
let group_id: number;

beforeAll(async () => {
  pids = processes().map(({ pid }) => pid);
  ada = await connect(fixture.system.gateway(0).url);
  const sid = uniqueSid();
  await ada.signIn(sid);
  const created = { group_name: 'fuzz', member_sids: [sid, uniqueSid()] };
  group_id = (await ada.requestOk('GROUP_CREATE', created)).payload.group_id ?? 0;
});

afterAll(() => ada?.terminate());

const processes = () => [...fixture.system.gateways, ...fixture.system.cores];

let state = seed;
/** Pseudo-random numbers, the same for the same seed (mulberry32). */
function below(limit: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
}
const oneOf = <T>(list: readonly T[]) => list[below(list.length)] as T;

const odd = () =>
  oneOf<unknown>([
    ...[null, true, '', 'x', '\0', '\ud800', -1, 0.5, 0, 1, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e300],
    ...[[], {}, [null], [[]], { ref: 1 }, 'y'.repeat(10_000), Array(1_000).fill(1), { toString: 1 }],
  ]);

/** The same value with one of its parts replaced, or gone. */
function mutated(value: unknown): unknown {
  if (below(4) === 0 || typeof value !== 'object' || value === null) return odd();
  if (Array.isArray(value)) {
    const at = below(value.length + 1);
    return [...value.slice(0, at), mutated(value[at]), ...value.slice(at + 1)];
  }
  const [name, part] = oneOf(Object.entries(value)) ?? ['__proto__', {}];
  const rest = Object.entries(value).filter(([other]) => other !== name);
  return Object.fromEntries(below(4) === 0 ? rest : [...rest, [name, mutated(part)]]);
}

/** What was JSON, with a piece of it gone or twice. */
function broken(text: string): string {
  const [from, to] = [below(text.length), below(text.length)];
  return text.slice(0, from) + text.slice(to);
}

/** Users and groups that nobody here has. */
const [user_id, other] = [900_000_001, 900_000_002];
const sound: Record<string, object> = {
  VERIFICATION_REQUEST_CODE: { connection_id: 'c', address: 'a', country_code: '1', phone_number: '5550100' },
  VERIFICATION_SUBMIT_CODE: { connection_id: 'c', address: 'a', verification_code: '000000' },
  AUTHORIZATION_SIGN_IN: {
    ...{ address: 'a', country_code: '1', phone_number: '5550100' },
    verification_code: '000000',
  },
  GROUP_CREATE: { user_id, sid: '1.5550100', repeatable: true, group_name: '', member_sids: ['1.5550101'] },
  GROUP_ADD_MEMBER: { user_id, repeatable: true, group_id: other, member_sid: '1.5550102' },
  GROUP_LEAVE: { user_id, repeatable: true, group_id: other },
  MESSAGING_SEND: { user_id, sid: '1.5550100', repeatable: true, group_id: other, content: 'text' },
  REPLAY_GROUPS: { user_id, group_ids: [other], without_states: true },
  GROUP_STATES: { group_ids: [other] },
  GROUP_HEADS: { group_ids: [other] },
  REPLAY_PAGE: { group_id: other, after_seq: 0, known_version: 0, limit: 10 },
  MESSAGE_LOOKUP: { user_id, message_ids: [1] },
  GROUP_IDS: { user_ids: [user_id] },
  OVERDUE_REPORT: { user_ids: [user_id], owed: [[user_id, other]] },
  CURSOR_RAISE: { cursors: [{ user_id, group_id: other, delivered_seq: 1, delivered_version: 1 }] },
};

function entry(node: string): string[] {
  const requests = Array.from({ length: requestsPerEntry }, (_, ref) => {
    const [type, params] = oneOf(Object.entries(sound));
    return mutated({ ref, request_id: randomUUID(), type, params });
  });
  const text = JSON.stringify(requests);
  const fields: Record<string, string> = {
    v: '1',
    node,
    // What is of an unknown type is left to a newer core until then.
    deadline: String(Date.now() + 3_000),
    requests: below(8) === 0 ? broken(text) : text,
  };
  if (below(8) === 0)
    fields[oneOf(['node', 'deadline', 'requests'])] = String(JSON.stringify(odd())).slice(0, 100);
  return Object.entries(fields).flat();
}

/** A member sends, and is answered: gateway, core and what is between them work. */
async function expectWork(content: string): Promise<void> {
  await ada.requestOk('MESSAGING_SEND', { group_id, content });
  await ada.next(({ type, payload }) => type === 'MESSAGING_DELIVER_REQUEST' && payload.content === content);
  expect(processes().map(({ pid }) => pid)).toEqual(pids);
}

test(`whatever stands in the request stream, every core lives and has room (seed ${seed})`, async () => {
  const redis = await fixture.redis();
  const { requests } = fixture.names;
  for (let count = 0; count < entries; count += 1) await redis.xadd(requests, '*', ...entry('nobody'));
  await expectWork('after the entries');
  await until('the stream is empty', async () => (await redis.xlen(requests)) === 0);
  await expectWork('and again');
});

test(`whatever is published on any channel, gateways and cores live and work (seed ${seed})`, async () => {
  const redis = await fixture.redis();
  const channels = (await redis.call('PUBSUB', 'CHANNELS', `${fixture.system.prefix}:*`)) as string[];
  const kinds = (name: string) => channels.some((channel) => channel.includes(name));
  expect(['gateways', 'gateway:', 'core:', 'group:', 'user:'].filter((name) => !kinds(name))).toEqual([]);
  const state = {
    ...{ group_id: other, version: 1, version_seq: 0, date_created: '2026-11-22T07:08:57.123Z' },
    ...{ group_name: '', is_direct_message: false, closed: false, members: [[user_id, '1.5550100', 0]] },
  };
  const bodies: [tag: string, body: object][] = [
    ['s', state],
    ['j', { user_id, group_id: other, since: 0 }],
    ['a', { group_id: other, version: 1, last_seq: 1, due_seq: 1, due_version: 1 }],
    ['n', { user_id, token: 't', reply_to: 'nowhere' }],
    ['e', { user_id }],
  ];
  const publication = () => {
    const [tag, body] = oneOf(bodies);
    const answers = [{ ref: below(1_000), ok: true, answer: mutated(state) }, mutated({ ref: 1, ok: false })];
    return oneOf([
      () => `${tag}\n${JSON.stringify(mutated(body))}`,
      () => broken(`${tag}\n${JSON.stringify(body)}`),
      () => `m ${oneOf([other, -1, 1e300, 'x', ''])} ${below(3)} ${oneOf([1, 2 ** 53, 'y'])} ${below(9)}\n{}`,
      () => `M ${other} 1 1 1 2 3\n${'{}\n'.repeat(below(5))}`,
      () => JSON.stringify(mutated(answers)),
      () => broken(JSON.stringify(answers)),
      () => `piece s ${below(3)} ${oneOf([0, 1, -1, 'x'])} ${oneOf([1, 2, 2 ** 53, ''])}\n[]`,
      () => oneOf(['', '{', 'null', '\n', 'echo', 'echo x', 'piece ', '[null]', '\0', '[{"ref":1}]']),
    ])();
  };
  for (const channel of channels) {
    for (let count = 0; count < publicationsPerChannel; count += 1) {
      await redis.publish(channel, publication());
    }
  }
  await expectWork('after the publications');
});

test(`jobs that no core has added are dropped or become dead letters (seed ${seed})`, async () => {
  const names = jobTypes.map(({ name }) => name);
  const redis = await fixture.redis();
  const queues = openQueues({ redis, prefix: fixture.names.queues, names, now: Date.now, log: silentLog });
  const bodies = [{ bucket: 1 }, { user_id, messages: { tries: 1, mark: '' }, group_states: [] }];
  for (const name of names) {
    const additions = Array.from({ length: jobsPerType }, (_, at) => {
      const data = mutated(oneOf(bodies));
      return { data: (Array.isArray(data) || typeof data !== 'object' ? {} : data) as object, key: `${at}` };
    });
    await queues.add(name, additions);
  }
  await expectWork('after the jobs');
  await queues.close();
});

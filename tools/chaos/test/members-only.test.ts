import { randomUUID } from 'node:crypto';
import {
  connect,
  fuzzSeed,
  startSystem,
  type TestClient,
  type TestSystem,
  uniqueSid,
} from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findMisdelivered } from '../src/checker/find-misdelivered.ts';
import { emptyHistory } from '../src/checker/history.ts';
import { prepareDatabase, readSnapshot } from '../src/database.ts';
import { createRandom } from '../src/random.ts';

const rounds = 40;
const usersCount = 8;
const groupsCount = 4;
const seed = fuzzSeed();

let system: TestSystem;
const clients: TestClient[] = [];

beforeAll(async () => {
  system = await startSystem({ gateways: 2, cores: 2 });
  await prepareDatabase(system.databaseUrl);
});

afterAll(async () => {
  for (const client of clients) client.terminate();
  await system?.stop();
});

const random = createRandom(seed);
const history = emptyHistory();
/** States that do not name whom they were sent to. */
const strays: string[] = [];

/** One user on one connection after the other, on either gateway. */
class Member {
  readonly sid = uniqueSid();
  client!: TestClient;
  #connection = -1;

  async connect(): Promise<void> {
    this.client?.terminate();
    const gateway = random.integer(0, 1);
    const isNew = this.client === undefined;
    this.client = await connect(system.gateway(gateway).url);
    clients.push(this.client);
    const record = { sid: this.sid, device: this.sid, signInAt: performance.now() };
    this.#connection = history.connections.push(record) - 1;
    const connection = this.#connection;
    this.client.socket.on('message', (data) => this.#note(JSON.parse(String(data)), connection));
    await (isNew ? this.client.signIn(this.sid) : this.client.authorize(this.sid));
  }

  async send(groupId: number): Promise<void> {
    await this.client.request('MESSAGING_SEND', { group_id: groupId, content: randomUUID() });
  }

  async add(groupId: number, member: Member): Promise<void> {
    await this.client.request('GROUP_ADD_MEMBER', { group_id: groupId, member_sid: member.sid });
  }

  async leave(groupId: number): Promise<void> {
    const at = performance.now();
    const { type } = await this.client.request('GROUP_LEAVE', { group_id: groupId });
    if (type !== 'GROUP_LEAVE_SUCCESS') return;
    const answer = { ok: true, at: performance.now() } as const;
    const attempts = [{ connection: this.#connection, at, answer }];
    history.changes.push({ type: 'leave', groupId, sid: this.sid, id: randomUUID(), attempts });
  }

  #note({ type, payload }: TestClient['frames'][number], connection: number): void {
    const at = performance.now();
    const { group_id: groupId = 0, message_id: messageId = 0, member_sids = [] } = payload;
    if (type === 'GROUP_DELIVER_REQUEST' && !member_sids.includes(this.sid)) {
      strays.push(`${this.sid} was sent a state of group ${groupId} without them`);
    }
    if (type !== 'MESSAGING_DELIVER_REQUEST') return;
    const { content = '', sender_sid: senderSid = '' } = payload;
    history.deliveries.push({ connection, at, messageId, groupId, senderSid, content, isKept: true });
  }
}

test(`nobody ever receives a frame of a group that they are not in, whoever joins, leaves, sends and reconnects (seed ${seed})`, async () => {
  const members = Array.from({ length: usersCount }, () => new Member());
  await Promise.all(members.map((member) => member.connect()));
  const groupIds = await Promise.all(
    members.slice(0, groupsCount).map(async ({ client }, at) => {
      const sids = members.filter((_, other) => other === at || (other + at) % 2 === 0).map(({ sid }) => sid);
      const { payload } = await client.requestOk('GROUP_CREATE', { group_name: 'group', member_sids: sids });
      return payload.group_id as number;
    }),
  );
  for (let round = 0; round < rounds; round += 1) {
    // All at once: what one of them does is under way while the others act.
    await Promise.all(
      members.map((member) => {
        const groupId = random.pick(groupIds);
        const what = random.integer(0, 9);
        if (what < 1) return member.connect();
        if (what < 3) return member.leave(groupId);
        if (what < 6) return member.add(groupId, random.pick(members));
        return member.send(groupId);
      }),
    );
  }
  await Promise.all(members.map(({ client }) => client.roundTrip()));
  const snapshot = await readSnapshot(
    system.databaseUrl,
    members.map(({ sid }) => sid),
  );
  expect(findMisdelivered(history, snapshot)).toEqual([]);
  expect(strays).toEqual([]);
  // It has seen something.
  expect(snapshot.memberships.filter(({ change }) => change === 'left').length).toBeGreaterThan(10);
  expect(history.deliveries.length).toBeGreaterThan(100);
});

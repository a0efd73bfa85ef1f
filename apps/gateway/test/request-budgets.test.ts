import { metrics } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, Fixture, metric, type SignedInClient } from './fixture.ts';
import type { StoredGroup } from './stored-group.ts';

const queues = 0;
const stream = 1;
const budgetBytes = 65_536;

let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start(
    { SESSION_QUEUE_BYTES_MAX: String(budgetBytes), SESSION_QUEUES_BYTES_MAX: String(2 * budgetBytes) },
    { REQUESTS_WAITING_BYTES_MAX: String(budgetBytes) },
  );
});
afterAll(() => fixture?.stop());

const busy = { type: 'MESSAGING_SEND_FAILURE', payload: { errors: ['server busy'] } };

async function shed(gateway: number, cause: string): Promise<number> {
  const { value } = await metrics(fixture.system.gateway(gateway).adminUrl);
  return value('hooligram_gateway_requests_shed_total', { cause });
}

async function enter(gateway: number): Promise<{ member: SignedInClient; group: StoredGroup }> {
  const user = fixture.user();
  const group = fixture.group([user]);
  return { member: await fixture.connectAs(user, [group], gateway), group };
}

type Member = Awaited<ReturnType<typeof enter>>;

function send({ member, group }: Member, id: string, bytes = 0): void {
  const content = `${id} `.padEnd(bytes, 'x');
  member.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content }, id);
}

const atCore = (id: string) =>
  fixture.core.next('MESSAGING_SEND', ({ content }) => content.startsWith(`${id} `));

const answered = ({ member }: Member, id: string) => member.client.next((frame) => frame.id === id);

test('requests without an answer are bounded in bytes: of a connection, and of all, where those that hold most are refused first', async () => {
  const [ada, bob] = [await enter(queues), await enter(queues)];
  const held = () => metric(fixture.system.gateway(queues), 'gateway_session_queues_bytes');
  send(ada, 'a1', 20_000);
  const first = await atCore('a1');
  for (const id of ['a2', 'a3', 'a4']) send(ada, id, 20_000);
  expect(await answered(ada, 'a4')).toMatchObject(busy);
  expect(await shed(queues, 'connection')).toBe(1);
  expect(await held()).toBeGreaterThan(60_000);
  expect(await held()).toBeLessThanOrEqual(budgetBytes);

  send(bob, 'b1', 20_000);
  const others = await atCore('b1');
  send(ada, 'a5');
  expect(await answered(ada, 'a5')).toMatchObject(busy);
  expect(await shed(queues, 'gateway')).toBe(1);
  for (const cause of ['connection', 'gateway']) {
    const line = new RegExp(`"kind":"${cause}","source":"127\\.0\\.0\\.1".*a budget is full`);
    expect(fixture.system.gateway(queues).log()).toMatch(line);
  }
  send(bob, 'b2');
  await bob.member.client.roundTrip();

  await first.succeed({ message_id: 1 });
  for (const [index, id] of ['a2', 'a3'].entries())
    await (await atCore(id)).succeed({ message_id: 2 + index });
  await others.succeed({ message_id: 4 });
  await (await atCore('b2')).succeed({ message_id: 5 });
  const types = [];
  for (const id of ['a1', 'a2', 'a3']) types.push((await answered(ada, id)).type);
  for (const id of ['b1', 'b2']) types.push((await answered(bob, id)).type);
  expect(new Set(types)).toEqual(new Set(['MESSAGING_SEND_SUCCESS']));
  await eventually(async () => (await held()) === 0, 'nothing is held');
});

test('what a connection held is given back when it closes', async () => {
  const ada = await enter(queues);
  const held = () => metric(fixture.system.gateway(queues), 'gateway_session_queues_bytes');
  send(ada, 'c1', 10_000);
  const first = await atCore('c1');
  ada.member.client.send('GROUP_LEAVE_REQUEST', { group_id: ada.group.id }, 'leave');
  send(ada, 'c2', 30_000);
  await ada.member.client.roundTrip();
  expect(await held()).toBeGreaterThan(40_000);
  ada.member.client.terminate();
  await eventually(async () => (await held()) < 20_000, 'what was not begun is forgotten');
  await first.succeed({ message_id: 1 });
  await eventually(async () => (await held()) === 0, 'nothing is held');
});

test('when the requests that no core has finished are too many bytes, the next one gets FAILURE server busy at once', async () => {
  const members = [];
  for (let count = 0; count < 4; count += 1) members.push(await enter(stream));
  const [ada, bob, cat, dan] = members as [Member, Member, Member, Member];
  const open = [];
  for (const [member, id] of [
    [ada, 's1'],
    [bob, 's2'],
    [cat, 's3'],
  ] as const) {
    send(member, id, 15_000);
    open.push(await atCore(id));
  }
  send(dan, 's4', 15_000);
  expect(await answered(dan, 's4')).toMatchObject(busy);
  expect(await shed(stream, 'stream bytes')).toBe(1);
  const bytes = await metric(fixture.system.gateway(stream), 'gateway_request_stream_bytes');
  expect(bytes).toBeGreaterThan(45_000);
  expect(bytes).toBeLessThanOrEqual(budgetBytes);

  await open[0]?.succeed({ message_id: 1 });
  await answered(ada, 's1');
  send(dan, 's5', 15_000);
  await (await atCore('s5')).succeed({ message_id: 2 });
  expect((await answered(dan, 's5')).type).toBe('MESSAGING_SEND_SUCCESS');
  for (const request of open.slice(1)) await request.succeed({ message_id: 3 });
});

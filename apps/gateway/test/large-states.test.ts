import { frameBytesMax } from '@hooligram/protocol';
import { connect, startSystem, type TestSystem, uniqueSid } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

let system: TestSystem;

beforeAll(async () => {
  system = await startSystem({ gateways: 2, cores: 1 });
});

afterAll(() => system?.stop());

const bytesOf = (frame: unknown) => Buffer.byteLength(JSON.stringify(frame));

/** As many members as a request has room for, after those who must be in. */
function crowd(first: readonly string[]): string[] {
  const bytesLeft =
    frameBytesMax - bytesOf({ id: '1', type: 'GROUP_CREATE_REQUEST', payload: request(first) });
  const sids = Array.from(
    { length: Math.floor(bytesLeft / '"1.9990000",'.length) },
    (_, at) => `1.${9_990_000 + at}`,
  );
  return [...first, ...sids];
}

const request = (member_sids: readonly string[]) => ({ group_name: 'a crowd', member_sids });

test('a group whose state is larger than any frame of a client reaches its members, live and when they sign in', async () => {
  const [ada, bob, cat] = [uniqueSid(), uniqueSid(), uniqueSid()];
  const [a, b] = [await connect(system.gateway(0).url), await connect(system.gateway(1).url)];
  await a.signIn(ada);
  await b.signIn(bob);
  await (await connect(system.url)).register(cat);
  const { payload } = await a.requestOk('GROUP_CREATE', request(crowd([ada, bob])), '1');
  const { group_id } = payload;
  await b.next('GROUP_DELIVER_REQUEST');
  await a.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: cat });
  const isGrown = ({ payload: { member_sids } }: { payload: { member_sids?: readonly string[] } }) =>
    member_sids?.includes(cat) === true;
  const grown = await b.next(isGrown);
  expect(bytesOf(grown)).toBeGreaterThan(frameBytesMax);
  await a.requestOk('MESSAGING_SEND', { group_id, content: 'hello, crowd' });
  await b.next('MESSAGING_DELIVER_REQUEST');

  const late = await connect(system.gateway(1).url);
  await late.signIn(cat);
  expect((await late.next('GROUP_DELIVER_REQUEST')).payload).toEqual(grown.payload);
  expect((await late.next('MESSAGING_DELIVER_REQUEST')).payload.content).toBe('hello, crowd');
  for (const client of [a, b, late]) client.terminate();
});

test('each of many connections is told a large state, and the messages behind it', async () => {
  const [ada, bob, cat] = [uniqueSid(), uniqueSid(), uniqueSid()];
  const a = await connect(system.gateway(0).url);
  await a.signIn(ada);
  for (const sid of [bob, cat]) await (await connect(system.url)).register(sid);
  const { payload } = await a.requestOk('GROUP_CREATE', request(crowd([ada, bob])), '1');
  const { group_id } = payload;
  const many = await Promise.all(Array.from({ length: 20 }, () => connect(system.gateway(0).url)));
  for (const one of many) {
    await one.authorize(ada);
    await one.next('GROUP_DELIVER_REQUEST');
  }
  await a.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: cat });
  await a.requestOk('MESSAGING_SEND', { group_id, content: 'hello, all' });
  for (const one of many) {
    await one.next(
      ({ type, payload: { member_sids } }) =>
        type === 'GROUP_DELIVER_REQUEST' && member_sids?.includes(cat) === true,
    );
    expect((await one.next('MESSAGING_DELIVER_REQUEST')).payload.content).toBe('hello, all');
  }
  for (const client of [a, ...many]) client.terminate();
});

import { connect, startSystem, type TestSystem, uniqueSid } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

let system: TestSystem;

beforeAll(async () => {
  system = await startSystem({ gateways: 2, cores: 1 });
});

afterAll(async () => {
  await system?.stop();
});

test('a message crosses gateways and reaches its sender too', async () => {
  const [ada, bob] = [uniqueSid(), uniqueSid()];
  const a = await connect(system.gateway(0).url);
  const b = await connect(system.gateway(1).url);
  await a.signIn(ada);
  await b.signIn(bob);
  const created = await a.requestOk('GROUP_CREATE', { group_name: '', member_sids: [ada, bob] });
  const { group_id } = created.payload;
  const [stateA, stateB] = await Promise.all([
    a.next('GROUP_DELIVER_REQUEST'),
    b.next('GROUP_DELIVER_REQUEST'),
  ]);
  expect(stateA).toEqual(stateB);
  expect(stateA.payload).toMatchObject({ group_id, is_direct_message: true, member_sids: [ada, bob].sort() });
  const sent = await a.requestOk('MESSAGING_SEND', { group_id, content: 'hello' });
  const [gotA, gotB] = await Promise.all([
    a.next('MESSAGING_DELIVER_REQUEST'),
    b.next('MESSAGING_DELIVER_REQUEST'),
  ]);
  expect(gotA).toEqual(gotB);
  expect(gotB.payload).toMatchObject({
    content: 'hello',
    group_id,
    message_id: sent.payload.message_id,
    sender_sid: ada,
  });
});

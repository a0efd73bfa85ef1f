import { connect, startSystem, type TestSystem, uniqueSid } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

let system: TestSystem;

beforeAll(async () => {
  // Nothing comes twice because a busy machine acknowledged it late.
  system = await startSystem({ gateways: 1, cores: 2, env: { DELIVERY_ACK_DEADLINE_MS: '600000' } });
});

afterAll(() => system?.stop());

test('of SEND, LEAVE, SEND in one go on one connection the first message is stored and the second refused', async () => {
  const [ada, bob, cat] = [uniqueSid(), uniqueSid(), uniqueSid()];
  const [a, b] = [await connect(system.gateway(0).url), await connect(system.gateway(0).url)];
  await a.signIn(ada);
  await b.signIn(bob);
  for (let round = 0; round < 20; round += 1) {
    const member_sids = [ada, bob, cat];
    const { payload } = await a.requestOk('GROUP_CREATE', { group_name: `round ${round}`, member_sids });
    const { group_id } = payload;
    await b.next((frame) => frame.type === 'GROUP_DELIVER_REQUEST' && frame.payload.group_id === group_id);
    a.send('MESSAGING_SEND_REQUEST', { group_id, content: 'before' }, `${round} before`);
    a.send('GROUP_LEAVE_REQUEST', { group_id }, `${round} leave`);
    a.send('MESSAGING_SEND_REQUEST', { group_id, content: 'after' }, `${round} after`);
    const answers = [];
    for (const step of ['before', 'leave', 'after'])
      answers.push(await a.next(({ id }) => id === `${round} ${step}`));
    expect(answers.map(({ type }) => type)).toEqual([
      'MESSAGING_SEND_SUCCESS',
      'GROUP_LEAVE_SUCCESS',
      'MESSAGING_SEND_FAILURE',
    ]);
    expect(answers[2]?.payload.errors).toEqual(['not a member of the group']);
    await b.requestOk('MESSAGING_SEND', { group_id, content: 'last' });
    await b.next((frame) => frame.payload.group_id === group_id && frame.payload.content === 'last');
    const contents = b
      .received('MESSAGING_DELIVER_REQUEST')
      .filter((frame) => frame.payload.group_id === group_id);
    expect(contents.map((frame) => frame.payload.content)).toEqual(['before', 'last']);
  }
});

test('messages sent in one go arrive in their order, with two cores', async () => {
  const [ada, bob] = [uniqueSid(), uniqueSid()];
  const [a, b] = [await connect(system.gateway(0).url), await connect(system.gateway(0).url)];
  await a.signIn(ada);
  await b.signIn(bob);
  const { payload } = await a.requestOk('GROUP_CREATE', { group_name: '', member_sids: [ada, bob] });
  const { group_id } = payload;
  const contents = Array.from({ length: 500 }, (_, index) => String(index));
  for (const content of contents) a.send('MESSAGING_SEND_REQUEST', { group_id, content });
  for (const client of [a, b]) {
    const delivered = () => client.received('MESSAGING_DELIVER_REQUEST');
    await client.waitFor(() => delivered().length >= contents.length);
    expect(delivered().map((frame) => frame.payload.content)).toEqual(contents);
  }
});

import { randomUUID } from 'node:crypto';
import { phoneOf, readTryAgain } from '@hooligram/protocol';
import { metrics, uniqueSid } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import {
  createGroup,
  receiveMessage,
  type SignedInClient,
  sendMessage,
  startFixture,
  writtenOnce,
} from './fixture.ts';

/** One window for the whole test. */
const windowSeconds = 9_000_000;
const signInsMax = 6;

const fixture = startFixture({
  gateways: 2,
  cores: 2,
  gatewayEnv: writtenOnce,
  coreEnv: {
    LIMITS_ENABLED: 'true',
    LIMIT_MESSAGES_PER_USER: `40/${windowSeconds}`,
    LIMIT_SIGN_INS_PER_USER: `${signInsMax}/${windowSeconds}`,
    LIMIT_GROUP_MEMBERS: '5',
    LIMIT_GROUPS_CREATED_PER_USER: '3/86400,4/9000000',
    LIMIT_MEMBERS_ADDED_PER_USER: '11/86400',
    LIMIT_STRANGERS_ADDED_PER_USER: '5/86400',
    LIMIT_UNKNOWN_MEMBERS_PER_USER: '4/86400',
  },
});

async function limited(limit: string): Promise<number> {
  const texts = await Promise.all(
    fixture.system.cores.map(async ({ adminUrl }) => (await metrics(adminUrl)).text),
  );
  const series = texts.map((text) =>
    text.match(new RegExp(`core_limited_total\\{limit="${limit}".* (\\d+)$`, 'm')),
  );
  expect(series).not.toContain(null);
  return series.reduce((sum, found) => sum + Number(found?.[1]), 0);
}

async function create({ client, sid }: SignedInClient, others: readonly string[], id = randomUUID()) {
  const payload = { group_name: 'group', member_sids: [sid, ...others] };
  client.send('GROUP_CREATE_REQUEST', payload, id);
  return client.next((frame) => frame.id === id && frame.type.startsWith('GROUP_CREATE_'));
}

const known = () => Promise.all([0, 1].map(async (gateway) => (await fixture.enter(gateway)).sid));
const errorsOf = ({ payload }: { payload: { errors?: readonly string[] } }) =>
  (payload.errors ?? []).map(readTryAgain);

test('a user sends so many messages in a window on all gateways and cores together, and what is stored is never refused', async () => {
  const ada = await fixture.enter(0);
  const again = await fixture.returning(ada.sid, 1);
  const bob = await fixture.enter(0);
  const group_id = await createGroup(ada, [bob.sid]);
  const [kept, ...ids] = Array.from({ length: 100 }, () => randomUUID());
  const first = ada.client.send('MESSAGING_SEND_REQUEST', { group_id, content: 'x' }, kept);
  await ada.client.next('MESSAGING_SEND_SUCCESS');
  for (const [n, id] of ids.entries()) {
    (n % 2 ? ada : again).client.send('MESSAGING_SEND_REQUEST', { group_id, content: 'x' }, id);
  }
  const answers = (type: string) => [ada, again].flatMap(({ client }) => client.received(type));
  for (const { client } of [ada, again]) {
    const ended = () =>
      client.frames.filter(({ type }) => /^MESSAGING_SEND_(SUCCESS|FAILURE)$/.test(type)).length;
    await client.waitFor(() => ended() === 50);
  }
  const stored = answers('MESSAGING_SEND_SUCCESS').length;
  // All came at once: each of the two cores learned of the other's messages too late.
  expect(stored).toBeGreaterThanOrEqual(40);
  expect(stored).toBeLessThanOrEqual(80);
  expect(await limited('messages')).toBe(100 - stored);
  const [error] = errorsOf(answers('MESSAGING_SEND_FAILURE')[0] as never);
  expect(error?.text).toBe('too many messages');
  expect(error?.seconds).toBeLessThanOrEqual(windowSeconds);
  const repeated = await ada.client.request('MESSAGING_SEND', { group_id, content: 'x' }, first);
  expect(repeated.type).toBe('MESSAGING_SEND_SUCCESS');
  // Nobody else is limited by it.
  const { payload } = await bob.client.requestOk('MESSAGING_SEND', { group_id, content: 'from bob' });
  await receiveMessage(ada, payload.message_id as number);
});

test('a user signs in so often in a window on all gateways and cores together', async () => {
  const ada = await fixture.enter(0);
  const again = await fixture.returning(ada.sid, 1);
  const signIn = { ...phoneOf(ada.sid), verification_code: '000000' };
  const answers = [];
  for (let n = 0; n < 2 * signInsMax; n += 1) {
    answers.push(await (n % 2 ? ada : again).client.request('AUTHORIZATION_SIGN_IN', signIn));
  }
  const refused = answers.filter(({ type }) => type === 'AUTHORIZATION_SIGN_IN_FAILURE');
  // Each of the two cores lets at most as many in as it may alone, and both are asked in turn: at least one learns of it.
  expect(refused.length).toBeGreaterThanOrEqual(2);
  expect(refused.length).toBeLessThanOrEqual(2 + signInsMax);
  for (const answer of refused) expect(errorsOf(answer)[0]?.text).toBe('too many requests');
  expect(await limited('sign_ins')).toBe(refused.length);
  // What they have goes on, and nobody else is limited by it.
  await ada.client.roundTrip();
  await fixture.enter(1);
});

test('a group has so many members, and no more are added', async () => {
  const ada = await fixture.enter(0);
  const others = [...(await known()), ...(await known())];
  expect(errorsOf(await create(ada, [...others, uniqueSid()]))).toEqual([
    { text: 'group would have too many members', seconds: undefined },
  ]);
  const group_id = (await create(ada, others.slice(0, 3))).payload.group_id as number;
  await ada.client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: others[3] });
  const [sixth = ''] = await known();
  const refused = await ada.client.request('GROUP_ADD_MEMBER', { group_id, member_sid: sixth });
  expect(errorsOf(refused)).toEqual([{ text: 'group would have too many members', seconds: undefined }]);
  expect(await limited('group_members')).toBe(2);
});

test('a user creates so many groups a day; a repetition is none, and others may still name them', async () => {
  const ada = await fixture.enter(0);
  const [bob = ''] = await known();
  const id = randomUUID();
  const first = await create(ada, [bob], id);
  // More often than there are groups left.
  for (let n = 0; n < 3; n += 1) expect((await create(ada, [bob], id)).payload).toEqual(first.payload);
  for (let n = 0; n < 2; n += 1) expect((await create(ada, [bob])).type).toBe('GROUP_CREATE_SUCCESS');
  const [error] = errorsOf(await create(ada, [bob]));
  expect(error?.text).toBe('too many groups created');
  expect(error?.seconds).toBeGreaterThan(86_000);
  const repeated = await create(ada, [bob], id);
  expect(repeated.payload).toEqual(first.payload);
  const cat = await fixture.enter(1);
  expect((await create(cat, [ada.sid, bob])).type).toBe('GROUP_CREATE_SUCCESS');
});

/** The messages of a group were sent two days ago. */
const ageMessages = (group_id: number) =>
  fixture.rows(
    `UPDATE message SET date_created = date_created - INTERVAL '2 days' WHERE group_id = $1 RETURNING id`,
    [group_id],
  );

test('a user puts so many others into groups a day, and fewer strangers, who stay strangers until they have been in a group with the user for a day', async () => {
  const [ada, bob, cat] = [await fixture.enter(0), await fixture.enter(1), await fixture.enter(1)];
  const common = await createGroup(bob, [ada.sid, cat.sid]);
  await sendMessage(bob, common, 'hello');
  await ageMessages(common);
  const [dan = '', eve = '', fay = '', gil = '', hal = ''] = (
    await Promise.all([known(), known(), known()])
  ).flat();
  const add = async (group_id: unknown, member_sid: string) =>
    errorsOf(await ada.client.request('GROUP_ADD_MEMBER', { group_id, member_sid }))[0]?.text;

  // One stranger, who knows her after a day; one more, whom her old group with its old messages does not make known.
  const old = (await create(ada, [bob.sid, cat.sid, dan])).payload.group_id as number;
  await sendMessage(ada, old, 'first');
  await ageMessages(old);
  expect(await add(old, eve)).toBeUndefined();
  // Only the second one is counted, again.
  await create(ada, [bob.sid, dan, eve]);
  const last = (await create(ada, [fay, gil])).payload.group_id;
  expect(await add(last, hal)).toBe('too many members added');
  expect([await limited('strangers_added'), await limited('members_added')]).toEqual([1, 0]);
  expect(await add(last, cat.sid)).toBeUndefined();
  expect(await add(last, dan)).toBe('too many members added');
  expect([await limited('strangers_added'), await limited('members_added')]).toEqual([1, 1]);
});

test('a user learns of so many numbers a day whether somebody has them', async () => {
  const ada = await fixture.enter(0);
  const group_id = (await create(ada, [uniqueSid(), uniqueSid()])).payload.group_id as number;
  const texts = [];
  for (let n = 0; n < 4; n += 1) {
    const answer = await ada.client.request('GROUP_ADD_MEMBER', { group_id, member_sid: uniqueSid() });
    texts.push(errorsOf(answer)[0]?.text);
  }
  expect(texts).toEqual([
    'payload.member_sid: nobody has this sid',
    'payload.member_sid: nobody has this sid',
    'too many numbers that nobody has',
    'too many numbers that nobody has',
  ]);
});

test('a change that is refused uses up no groups, but what was looked up for it', async () => {
  const ada = await fixture.enter(0);
  const full = (await create(ada, Array.from({ length: 4 }, uniqueSid))).payload.group_id as number;
  const [friend = ''] = await known();
  for (let n = 0; n < 2; n += 1) {
    expect(errorsOf(await create(ada, [uniqueSid()]))[0]?.text).toBe('too many numbers that nobody has');
    const added = await ada.client.request('GROUP_ADD_MEMBER', { group_id: full, member_sid: friend });
    expect(errorsOf(added)[0]?.text).toBe('group would have too many members');
  }
  // Three groups a day, of which one was created.
  for (let n = 0; n < 2; n += 1) expect((await create(ada, [friend])).type).toBe('GROUP_CREATE_SUCCESS');
  expect(errorsOf(await create(ada, [friend]))[0]?.text).toBe('too many groups created');
  // Eleven members a day: nobody learns more of who is here by changes that are refused.
  const texts = [];
  for (let n = 0; n < 2; n += 1) {
    const added = await ada.client.request('GROUP_ADD_MEMBER', { group_id: full, member_sid: friend });
    texts.push(errorsOf(added)[0]?.text);
  }
  expect(texts).toEqual(['group would have too many members', 'too many members added']);
});

test('a user leaves a group at once: unread, in one go with the sign-in, whatever else they may not do any more', async () => {
  const [ada, victim] = [await fixture.enter(0), await fixture.enter(1, { acknowledge: false })];
  const unwanted = (await create(ada, [victim.sid, uniqueSid()])).payload.group_id as number;
  const common = (await create(victim, [ada.sid])).payload.group_id as number;
  for (let n = 0; n < 3; n += 1) await create(victim, [ada.sid]);
  const device = await fixture.connect(1, { acknowledge: false });
  device.send('AUTHORIZATION_SIGN_IN_REQUEST', { ...phoneOf(victim.sid), verification_code: '000000' });
  device.send('GROUP_LEAVE_REQUEST', { group_id: unwanted });
  await device.next('GROUP_LEAVE_SUCCESS');
  const unheard = await sendMessage(ada, unwanted, 'unheard');
  const heard = await sendMessage(ada, common, 'heard');
  for (const client of [device, victim.client]) {
    await client.next(({ payload }) => payload.message_id === heard);
    const ids = client.received('MESSAGING_DELIVER_REQUEST').map(({ payload }) => payload.message_id);
    expect(ids).not.toContain(unheard);
  }
});

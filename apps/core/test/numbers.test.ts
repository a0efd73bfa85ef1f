import { expect, test } from '@jest/globals';
import { createGroup, errorsOf, startFixture, state } from './fixture.ts';

/** As in production. */
const fixture = startFixture({ gateways: 1, cores: 1, coreEnv: { NUMBERS: 'possible' } });

/** Telephones of the ranges that Ofcom keeps for fiction; no two tests use the same. */
let last = 900_000;
function telephone(): string {
  last += 1;
  return `7700${last}`;
}

test('a code is not sent to a number that is not possible, or written in another way', async () => {
  const client = await fixture.connect(0);
  const digits = telephone();
  for (const [country_code, phone_number, text] of [
    ['1', '5550100', 'must be a possible number of its country code'],
    ['44', `0${digits}`, `must be written ${digits}`],
    ['52', '15512345678', 'must be written 5512345678'],
  ]) {
    const errors = await errorsOf({ client }, 'VERIFICATION_REQUEST_CODE', { country_code, phone_number });
    expect(errors).toEqual([`payload.phone_number: ${text}`]);
  }
  expect(await errorsOf({ client }, 'VERIFICATION_SUBMIT_CODE', { verification_code: '000000' })).toEqual([
    'no code was requested on this connection',
  ]);
  await client.signIn(`44.${digits}`);
});

test('members who are no users yet have one writing, and a refused request creates no user', async () => {
  const client = await fixture.connect(0);
  const ada = { client, sid: `44.${telephone()}` };
  await client.signIn(ada.sid);
  const digits = telephone();
  const wrong = [ada.sid, `44.${digits}`, '1.5550100', `44.0${digits}`];
  expect(await errorsOf(ada, 'GROUP_CREATE', { group_name: 'x', member_sids: wrong })).toEqual([
    'payload.member_sids[2]: must be a possible number of its country code',
    `payload.member_sids[3]: must be written 44.${digits}`,
  ]);
  expect(await fixture.rows('SELECT FROM "user" WHERE sid = ANY ($1)', [wrong.slice(1)])).toEqual([]);

  const group_id = await createGroup(ada, [`44.${digits}`, `44.${telephone()}`]);
  await state(ada, group_id);
  // No user has this writing, and there is a user who has the telephone.
  expect(await errorsOf(ada, 'GROUP_ADD_MEMBER', { group_id, member_sid: `44.0${digits}` })).toEqual([
    `payload.member_sid: must be written 44.${digits}`,
  ]);
  expect(await errorsOf(ada, 'GROUP_ADD_MEMBER', { group_id, member_sid: '1.5550100' })).toEqual([
    'payload.member_sid: nobody has this sid',
  ]);
});

test('of thousands of numbers that are not possible, the first hundred are named and the others counted', async () => {
  const client = await fixture.connect(0);
  const sid = `44.${telephone()}`;
  await client.signIn(sid);
  const member_sids = [sid, ...Array.from({ length: 4_000 }, (_, index) => `1.${5_550_000 + index}`)];
  const errors = await errorsOf({ client }, 'GROUP_CREATE', { group_name: 'x', member_sids });
  expect(errors).toHaveLength(101);
  expect(errors?.[0]).toBe('payload.member_sids[1]: must be a possible number of its country code');
  expect(errors?.at(-1)).toBe('payload.member_sids: has 3900 more faulty elements');
});

test('a user from before the rule is reachable by the number that they have', async () => {
  const old = '44.07700900999';
  await fixture.rows('INSERT INTO "user" (sid) VALUES ($1)', [old]);
  const client = await fixture.connect(0);
  await client.signIn(old);
  const group_id = await createGroup({ client, sid: old }, [`44.${telephone()}`]);
  await state({ client, sid: old }, group_id);
});

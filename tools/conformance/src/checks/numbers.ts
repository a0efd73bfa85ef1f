import { faultTexts, phoneOf } from '@hooligram/protocol';
import type { Checks } from '../check.ts';

const unassigned = `payload.country_code: ${faultTexts.codeUnassigned}`;

/** None of them is assigned; some are the beginning of assigned ones, some begin with one. */
const codesOfNobody = ['0', '2', '15', '154', '210', '999'];

export const numbers: Checks = {
  async 'assigned: a country code that is not assigned is refused wherever a number or a sid is given'(
    fixture,
  ) {
    const client = await fixture.signedIn();
    const { group_id } = await fixture.group(client);
    const { phone_number } = phoneOf(fixture.unknownSid());
    for (const country_code of codesOfNobody) {
      const number = { country_code, phone_number };
      const member_sid = `${country_code}.${phone_number}`;
      await client.refuse('VERIFICATION_REQUEST_CODE', number, [unassigned]);
      const signIn = { ...number, verification_code: '000000' };
      await client.refuse('AUTHORIZATION_SIGN_IN', signIn, [unassigned]);
      await client.refuse('GROUP_ADD_MEMBER', { group_id, member_sid }, [
        `payload.member_sid: ${faultTexts.sidOfNoCountry}`,
      ]);
      const create = { group_name: 'x', member_sids: [client.sid, fixture.unknownSid(), member_sid] };
      await client.refuse('GROUP_CREATE', create, [`payload.member_sids[2]: ${faultTexts.sidOfNoCountry}`]);
    }
    // Assigned, and no country's.
    const personal = { country_code: '878', phone_number: `10${phone_number.slice(-10)}` };
    await client.succeed('VERIFICATION_REQUEST_CODE', personal);
  },
  async 'one-telephone: the digits of a telephone make one user: only one place for the dot is taken'(
    fixture,
  ) {
    const client = await fixture.signedIn();
    const { group_id } = await fixture.group(client);
    const digits = fixture.unknownSid().replace('.', '');
    const fault = [`payload.member_sid: ${faultTexts.sidOfNoCountry}`];
    for (const place of [1, 2, 3].filter(
      (length) => digits.slice(0, length) !== phoneOf(client.sid).country_code,
    )) {
      const member_sid = `${digits.slice(0, place)}.${digits.slice(place)}`;
      await client.refuse('GROUP_ADD_MEMBER', { group_id, member_sid }, fault);
    }
  },
};

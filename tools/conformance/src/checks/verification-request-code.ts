import { errorTexts, faultTexts, phoneOf } from '@hooligram/protocol';
import type { Checks } from '../check.ts';

const code = `payload.country_code: ${faultTexts.notACountryCode}`;
const number = `payload.phone_number: ${faultTexts.notAPhoneNumber}`;
const both = `payload.phone_number: ${faultTexts.numberTooLong}`;

const strangeNumbers: [country_code: string, phone_number: string, errors: string[]][] = [
  ['', '5550100', [code]],
  ['1234', '5550100', [code]],
  ['+1', '5550100', [code]],
  ['1 ', '5550100', [code]],
  ['1\n', '5550100', [code]],
  ['١', '5550100', [code]],
  ['1', '', [number]],
  ['1', '123', [number]],
  ['1', '1'.repeat(15), [number]],
  ['1', '555-0100', [number]],
  ['1', ' 5550100', [number]],
  ['1', '555010０', [number]],
  ['44', '1'.repeat(14), [both]],
  ['888', '1'.repeat(13), [both]],
  ['x', 'y', [code, number]],
];

export const verificationRequestCode: Checks = {
  async 'numbers: what is no country code of 1-3 digits and phone number of 4-14, 15 together, is refused'(
    fixture,
  ) {
    const client = await fixture.connect();
    for (const [country_code, phone_number, errors] of strangeNumbers) {
      await client.refuse('VERIFICATION_REQUEST_CODE', { country_code, phone_number }, errors);
    }
  },
  async 'registers-nobody: asking for a code registers nobody: the number cannot sign in and cannot be added to a group'(
    fixture,
  ) {
    const member = await fixture.signedIn();
    const { group_id } = await fixture.group(member);
    const asking = await fixture.connect();
    const sid = fixture.unknownSid();
    await asking.succeed('VERIFICATION_REQUEST_CODE', phoneOf(sid));
    for (const verification_code of ['', '000000']) {
      await asking.refuse('AUTHORIZATION_SIGN_IN', { ...phoneOf(sid), verification_code });
    }
    const nobody = [errorTexts.userUnknown.text];
    await member.refuse('GROUP_ADD_MEMBER', { group_id, member_sid: sid }, nobody);
  },
  async 'keeps-credential: asking for a code, and submitting a wrong one, leaves the credential that the number has'(
    fixture,
  ) {
    const user = await fixture.newUser();
    const asking = await fixture.connect();
    await asking.succeed('VERIFICATION_REQUEST_CODE', phoneOf(user.sid));
    await fixture.signedInAs(user);
    await asking.refuse('VERIFICATION_SUBMIT_CODE', { verification_code: `${user.code}x` });
    await fixture.signedInAs(user);
    const empty = { ...phoneOf(user.sid), verification_code: '' };
    await asking.refuse('AUTHORIZATION_SIGN_IN', empty);
  },
  async 'longest-number: a number of 15 digits is taken, and so is one on a connection where somebody is signed in'(
    fixture,
  ) {
    const client = await fixture.signedIn();
    const { phone_number } = phoneOf(fixture.unknownSid());
    // Universal personal numbers have twelve digits, and begin with 10.
    const longest = { country_code: '878', phone_number: `10${phone_number.slice(-10)}` };
    await client.succeed('VERIFICATION_REQUEST_CODE', longest);
  },
};

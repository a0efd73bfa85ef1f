import { errorTexts, faultTexts } from '@hooligram/protocol';
import type { Topic } from '../check.ts';
import { numberOf } from '../people.ts';

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

export const verificationRequestCode: Topic = {
  name: 'verification-request-code',
  checks: [
    {
      name: 'numbers',
      title: 'what is no country code of 1-3 digits and phone number of 4-14, 15 together, is refused',
      async run(stage) {
        const peer = await stage.connect();
        for (const [country_code, phone_number, errors] of strangeNumbers) {
          await peer.refuse('VERIFICATION_REQUEST_CODE', { country_code, phone_number }, errors);
        }
      },
    },
    {
      name: 'registers-nobody',
      title: 'asking for a code registers nobody: the number cannot sign in and cannot be added to a group',
      async run(stage) {
        const member = await stage.enter();
        const { group_id } = await stage.group(member);
        const asking = await stage.connect();
        const sid = stage.stranger();
        await asking.succeed('VERIFICATION_REQUEST_CODE', numberOf(sid));
        for (const verification_code of ['', '000000']) {
          await asking.refuse('AUTHORIZATION_SIGN_IN', { ...numberOf(sid), verification_code });
        }
        const nobody = [errorTexts.userUnknown.text];
        await member.refuse('GROUP_ADD_MEMBER', { group_id, member_sid: sid }, nobody);
      },
    },
    {
      name: 'keeps-credential',
      title: 'asking for a code, and submitting a wrong one, leaves the credential that the number has',
      async run(stage) {
        const person = await stage.newcomer();
        const asking = await stage.connect();
        await asking.succeed('VERIFICATION_REQUEST_CODE', numberOf(person.sid));
        await stage.enterAs(person);
        await asking.refuse('VERIFICATION_SUBMIT_CODE', { verification_code: `${person.code}x` });
        await stage.enterAs(person);
        const empty = { ...numberOf(person.sid), verification_code: '' };
        await asking.refuse('AUTHORIZATION_SIGN_IN', empty);
      },
    },
    {
      name: 'longest-number',
      title: 'a number of 15 digits is taken, and so is one on a connection where somebody is signed in',
      async run(stage) {
        const peer = await stage.enter();
        const { phone_number } = numberOf(stage.stranger());
        // Universal personal numbers have twelve digits, and begin with 10.
        const longest = { country_code: '878', phone_number: `10${phone_number.slice(-10)}` };
        await peer.succeed('VERIFICATION_REQUEST_CODE', longest);
      },
    },
  ],
};

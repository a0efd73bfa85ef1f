import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { checkPayload } from './faults.ts';
import { type ClientRequestType, frameTypes, payloadSchema } from './frame.ts';

function faults(type: ClientRequestType, json: string): readonly string[] {
  return checkPayload(type, JSON.parse(json)).faults;
}

const leave = (groupId: string) => faults('GROUP_LEAVE_REQUEST', `{"group_id":${groupId}}`);
const send = (content: unknown) => faults('MESSAGING_SEND_REQUEST', JSON.stringify({ group_id: 1, content }));
const create = (group_name: unknown, member_sids: unknown) =>
  faults('GROUP_CREATE_REQUEST', JSON.stringify({ group_name, member_sids }));
const askCode = (country_code: unknown, phone_number: unknown) =>
  faults('VERIFICATION_REQUEST_CODE_REQUEST', JSON.stringify({ country_code, phone_number }));
const submit = (verification_code: unknown) =>
  faults('VERIFICATION_SUBMIT_CODE_REQUEST', JSON.stringify({ verification_code }));

describe('a group_id', () => {
  test.each(['1', '1.0', '1e3', '9007199254740991'])('%s is taken', (json) => {
    expect(leave(json)).toEqual([]);
  });

  test.each([
    ['"1"', 'must be an integer'],
    ['null', 'must be an integer'],
    ['true', 'must be an integer'],
    ['[1]', 'must be an integer'],
    ['{}', 'must be an integer'],
    ['1.5', 'must be an integer'],
    ['-1.5', 'must be an integer'],
    ['0', 'must be a positive integer'],
    ['-0', 'must be a positive integer'],
    ['-1', 'must be a positive integer'],
    ['-9007199254740993', 'must be a positive integer'],
    ['-1e400', 'must be a positive integer'],
    ['9007199254740992', 'must be an integer below 2^53'],
    ['1e300', 'must be an integer below 2^53'],
    ['1e400', 'must be an integer below 2^53'],
  ])('%s has one fault: %s', (json, text) => {
    expect(leave(json)).toEqual([`payload.group_id: ${text}`]);
  });

  test('that is missing is required, and each missing field is named', () => {
    expect(faults('GROUP_LEAVE_REQUEST', '{}')).toEqual(['payload.group_id: is required']);
    expect(faults('AUTHORIZATION_SIGN_IN_REQUEST', '{}')).toEqual([
      'payload.country_code: is required',
      'payload.phone_number: is required',
      'payload.verification_code: is required',
    ]);
  });
});

describe('content', () => {
  test.each([
    'x',
    ' ',
    '\n',
    '\u0001',
    'e\u0301',
    '\ufeff',
    '\u{1f469}\u200d\u{1f467}',
    '\uffff',
    '  spaced  ',
  ])('%j is taken exactly as it is', (content) => {
    expect(checkPayload('MESSAGING_SEND_REQUEST', { group_id: 1, content }).payload?.content).toBe(content);
  });

  test.each([
    [1, ['must be a string']],
    [null, ['must be a string']],
    ['', ['must not be empty']],
    ['a\0', ['must not contain NUL']],
    ['\ud800', ['must not contain lone surrogates']],
    ['\udc00\ud800', ['must not contain lone surrogates']],
    ['\0\ud800', ['must not contain NUL', 'must not contain lone surrogates']],
  ])('%j is refused', (content, texts) => {
    expect(send(content)).toEqual(texts.map((text) => `payload.content: ${text}`));
  });
});

describe('a group_name', () => {
  test('has at most 100 characters, counted as people count, and may be empty', () => {
    expect(create('', ['1.5550100'])).toEqual([]);
    expect(create('😀'.repeat(100), [])).toEqual([]);
    expect(create('😀'.repeat(101), [])).toEqual(['payload.group_name: must be at most 100 characters']);
    expect(create('x'.repeat(101), [])).toEqual(['payload.group_name: must be at most 100 characters']);
  });

  test('has every fault named', () => {
    expect(create(`${'x'.repeat(100)}\0\udfff`, 1)).toEqual([
      'payload.group_name: must not contain NUL',
      'payload.group_name: must not contain lone surrogates',
      'payload.group_name: must be at most 100 characters',
      'payload.member_sids: must be a list',
    ]);
  });
});

describe('member_sids', () => {
  test('names each faulty element by its place', () => {
    expect(create('x', ['1.5550100', '15550101', 5, null, '1.5550102'])).toEqual(
      [1, 2, 3].map((place) => `payload.member_sids[${place}]: must be a sid such as 1.5550100`),
    );
    expect(create('x', { 0: '1.5550100' })).toEqual(['payload.member_sids: must be a list']);
  });

  test('names the first hundred faulty elements and counts the others', () => {
    const told = create('x', Array(32_000).fill(0));
    expect(told).toHaveLength(101);
    expect(told[99]).toBe('payload.member_sids[99]: must be a sid such as 1.5550100');
    expect(told[100]).toBe('payload.member_sids: has 31900 more faulty elements');
  });

  test('and a single member_sid begin with an assigned country code', () => {
    const text = 'must begin with an assigned country code';
    expect(
      create('x', ['1.54828935', '15.4828935', '154.828935', '0.5550100', '15.482', '8005.5550']),
    ).toEqual(
      [1, 2, 3]
        .map((place) => `payload.member_sids[${place}]: ${text}`)
        .concat([4, 5].map((place) => `payload.member_sids[${place}]: must be a sid such as 1.5550100`)),
    );
    expect(faults('GROUP_ADD_MEMBER_REQUEST', '{"group_id":1,"member_sid":"999.5550100"}')).toEqual([
      `payload.member_sid: ${text}`,
    ]);
  });

  test('and a single member_sid keep to the rules of numbers', () => {
    expect(faults('GROUP_ADD_MEMBER_REQUEST', '{"group_id":1,"member_sid":5}')).toEqual([
      'payload.member_sid: must be a string',
    ]);
    expect(faults('GROUP_ADD_MEMBER_REQUEST', '{"group_id":1,"member_sid":"5"}')).toEqual([
      'payload.member_sid: must be a sid such as 1.5550100',
    ]);
  });
});

describe('a number', () => {
  const code = 'payload.country_code: must be 1 to 3 digits';
  const unassigned = 'payload.country_code: must be an assigned country code';
  const number = 'payload.phone_number: must be 4 to 14 digits';
  const both = 'payload.phone_number: must have at most 15 digits together with the country code';

  test.each([
    ['1', '5550100', []],
    ['1', '1'.repeat(14), []],
    ['353', '1'.repeat(12), []],
    ['44', '1'.repeat(14), [both]],
    ['353', '1'.repeat(13), [both]],
    ['0', '5550100', [unassigned]],
    ['01', '5550100', [unassigned]],
    ['15', '4828935', [unassigned]],
    ['999', '1'.repeat(13), [unassigned]],
    ['888', '12345678901', []],
    ['', '123', [code, number]],
    ['1234', '1'.repeat(15), [code, number]],
    ['+1', '555 0100', [code, number]],
    ['١', '٥٥٥٠١٠٠', [code, number]],
    ['1\n', '5550100\n', [code, number]],
    ['1', 5550100, ['payload.phone_number: must be a string']],
    ['1234', '5550100', [code]],
  ])('%j %j has the faults %j', (country_code, phone_number, expected) => {
    expect(askCode(country_code, phone_number)).toEqual(expected);
  });

  test('that is too long is reported together with the faults of the other fields', () => {
    expect(
      faults('AUTHORIZATION_SIGN_IN_REQUEST', '{"country_code":"353","phone_number":"1234567890123"}'),
    ).toEqual(['payload.verification_code: is required', both]);
  });
});

test('a verification_code has 1 to 64 characters', () => {
  expect(submit('0')).toEqual([]);
  expect(submit('😀'.repeat(64))).toEqual([]);
  expect(submit('')).toEqual(['payload.verification_code: must not be empty']);
  expect(submit('1'.repeat(65))).toEqual(['payload.verification_code: must be at most 64 characters']);
  expect(submit(123456)).toEqual(['payload.verification_code: must be a string']);
});

test('every payload has a JSON Schema with the same rules', () => {
  const schemaOf = (type: (typeof frameTypes)[number]) =>
    z.toJSONSchema(payloadSchema(type), { io: 'input' });
  for (const type of frameTypes) expect(schemaOf(type)).toMatchObject({ type: 'object' });
  expect(schemaOf('GROUP_CREATE_REQUEST')).toMatchObject({
    properties: {
      group_name: { type: 'string', maxLength: 100 },
      member_sids: { type: 'array', items: { type: 'string', pattern: expect.any(String) } },
    },
    required: ['group_name', 'member_sids'],
  });
  expect(schemaOf('MESSAGING_SEND_SUCCESS')).toMatchObject({
    properties: { message_id: { type: 'integer', exclusiveMinimum: 0, maximum: 2 ** 53 - 1 } },
  });
});

import { describe, expect, test } from '@jest/globals';
import { groupDeliveryId, messageDeliveryId, parseDeliveryId } from './delivery-id.ts';
import { compareByCodeUnit, isSid, phoneOf, sidOf } from './sid.ts';
import { isUuid } from './uuid.ts';

describe('the id of a delivery', () => {
  test.each([
    [1, 1],
    [3, 0],
    [2 ** 53 - 1, 2 ** 53 - 1],
  ])('tells what was delivered: %d, %d', (groupId, number) => {
    expect(parseDeliveryId(groupDeliveryId(groupId, number))).toEqual({
      kind: 'group',
      groupId,
      version: number,
    });
    expect(parseDeliveryId(messageDeliveryId(groupId, number))).toEqual({
      kind: 'message',
      groupId,
      messageId: number,
    });
  });

  test.each([
    '',
    'g',
    'g.1',
    'g.1.2.3',
    'x.1.2',
    'g.01.2',
    'g.1.-2',
    'g.1.2\n',
    'G.1.2',
    'g.1.9007199254740992',
    'g.1e3.2',
  ])('%j tells nothing', (id) => {
    expect(parseDeliveryId(id)).toBeUndefined();
  });
});

describe('a sid', () => {
  test('is a country code and a phone number', () => {
    expect(sidOf('1', '5550100')).toBe('1.5550100');
  });

  test('gives the fields of its number back', () => {
    expect(phoneOf('1.5550100')).toEqual({ country_code: '1', phone_number: '5550100' });
  });

  test.each(['1.5550100', '353.123456789012', '1.12345678901234', '888.0000'])('%s is one', (text) => {
    expect(isSid(text)).toBe(true);
  });

  test.each([
    '',
    '.',
    '1.',
    '.5550100',
    '15550100',
    '1.555',
    '1234.5550100',
    '1.123456789012345',
    '44.12345678901234',
    '353.1234567890123',
    '0.5550100',
    '15.4828935',
    '154.828935',
    '999.5550100',
    '+1.5550100',
    '1.555 0100',
    '1.5550100\n',
    ' 1.5550100',
    '1..5550100',
    '1.555.0100',
    '١.5550100',
    '1.555010０',
  ])('%j is none', (text) => {
    expect(isSid(text)).toBe(false);
  });
});

test('sids are sorted by code unit, whatever the locale', () => {
  expect(['2.0000', '10.0000', '1.0000', '1.00000'].sort(compareByCodeUnit)).toEqual([
    '1.0000',
    '1.00000',
    '10.0000',
    '2.0000',
  ]);
  expect(['b', 'B', 'ä', 'a'].sort(compareByCodeUnit)).toEqual(['B', 'a', 'b', 'ä']);
  expect(compareByCodeUnit('a', 'a')).toBe(0);
});

test('a UUID of any version, in either case, makes a request repeatable; nothing else does', () => {
  for (const id of ['0190a6b2-7d1c-7c3a-9a55-3d1f0e2b4c6d', '8B0F6D3E-5A1C-4C52-9F0E-2D7A1B3C4D5E']) {
    expect(isUuid(id)).toBe(true);
  }
  for (const id of [
    '',
    '1',
    '0190a6b27d1c7c3a9a553d1f0e2b4c6d',
    '{8b0f6d3e-5a1c-4c52-9f0e-2d7a1b3c4d5e}',
    '8b0f6d3e-5a1c-4c52-9f0e-2d7a1b3c4d5g',
  ]) {
    expect(isUuid(id)).toBe(false);
  }
});

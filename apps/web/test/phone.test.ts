import { describe, expect, test } from '@jest/globals';
import { parsePhone, showSid, sidOf } from '../src/phone.ts';

describe('a phone number', () => {
  test.each([
    ['+1 555 0100', '1.5550100'],
    ['+44 (7700) 900-123', '44.7700900123'],
    ['0049 1555 0111', '49.15550111'],
    ['+7.9161234567', '7.9161234567'],
    ['+353 1 555 0100', '353.15550100'],
    ['+999123456789012', '999.123456789012'],
    [' 12.5550100 ', '12.5550100'],
  ])('written as %j is that of %s', (text, sid) => {
    const number = parsePhone(text);
    expect(number && sidOf(number)).toBe(sid);
  });

  test.each([
    '',
    '+',
    '5550100',
    '+1 555',
    '+44 7700 900123 4567 89',
    'ada',
    '1.555',
    '+1 555 O100',
    '.5550100',
  ])('is not what %j is', (text) => {
    expect(parsePhone(text)).toBeUndefined();
  });

  test.each(['1.5550100', '44.7700900123', '353.15550100', '999.1234'])(
    'that is shown for %s is read as the same one',
    (sid) => {
      const number = parsePhone(showSid(sid));
      expect(number && sidOf(number)).toBe(sid);
    },
  );
});

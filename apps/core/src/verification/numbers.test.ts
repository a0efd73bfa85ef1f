import { describe, expect, test } from '@jest/globals';
import { canonicalSid, createNumbers } from './numbers.ts';

const possible = (sid: string) => createNumbers('possible').faultOf(sid)?.text;
const impossible = 'must be a possible number of its country code';

describe('a possible number', () => {
  test.each([
    '1.2025550100',
    '44.7700900123',
    '39.0612345678', // in Italy the 0 is part of the number
    '39.612345678',
    '54.91123456789', // in Argentina the 9 of mobile numbers is
    '54.1123456789',
    '52.5512345678',
    '7.9161234567',
    '225.0102030405',
    '49.15550111222',
    // of no country
    '800.12345678',
    '808.12345678',
    '870.773111632',
    '878.101234567890',
    '881.612345678',
    '882.13123456',
    '883.510000000',
    '888.12345678901',
    '979.123456789',
  ])('is %s', (sid) => {
    expect(possible(sid)).toBeUndefined();
  });

  test.each(['1.5550100', '1.92345678901', '44.7700', '888.1234', '52.15', '52.125512345678'])(
    'is not %s',
    (sid) => {
      expect(possible(sid)).toBe(impossible);
    },
  );

  test.each([
    ['44.07700900123', '44.7700900123'],
    ['353.0871234567', '353.871234567'],
    ['49.0049030123456', '49.49030123456'],
    ['1.12025550100', '1.2025550100'],
    ['7.89161234567', '7.9161234567'],
    ['36.06301234567', '36.301234567'],
    ['52.15512345678', '52.5512345678'],
    ['54.0111523456789', '54.91123456789'],
  ])('is not %s, which is told to be %s', (sid, rightly) => {
    expect(possible(sid)).toBe(`must be written ${rightly}`);
    expect(possible(rightly)).toBeUndefined();
  });
});

test('whatever is written, the writing that is named for it is one that is taken', () => {
  let state = 20261125;
  const below = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const codes = [
    '1',
    '7',
    '20',
    '27',
    '31',
    '39',
    '44',
    '46',
    '49',
    '52',
    '54',
    '55',
    '61',
    '81',
    '86',
    '91',
    '225',
  ];
  let named = 0;
  for (let round = 0; round < 5_000; round += 1) {
    const code = codes[below(codes.length)] as string;
    const zeros = '0'.repeat(below(3));
    const digits = `${zeros}${1 + below(9)}${String(below(10 ** 9)).slice(0, 5 + below(5))}`;
    const writtenAs = createNumbers('possible').faultOf(`${code}.${digits}`)?.writtenAs;
    if (writtenAs === undefined) continue;
    named += 1;
    expect([digits, writtenAs, possible(writtenAs)]).toEqual([digits, writtenAs, undefined]);
  }
  expect(named).toBeGreaterThan(500);
});

test('a number that is possible need not be valid', () => {
  const { faultOf } = createNumbers('valid');
  expect(faultOf('1.1234567890')?.text).toBe('must be a valid number of its country code');
  expect(possible('1.1234567890')).toBeUndefined();
  expect(faultOf('1.2025550100')).toBeUndefined();
  expect(faultOf('44.07911123456')?.text).toBe('must be written 44.7911123456');
});

test('where the country code alone counts, every number is taken', () => {
  const { faultOf } = createNumbers('assigned');
  expect(['1.5550100', '44.07700900123', '888.0000'].map(faultOf)).toEqual(Array(3).fill(undefined));
});

describe('the canonical sid', () => {
  test.each([
    ['1.54828935', '1.54828935'],
    ['15.4828935', '1.54828935'],
    ['154.828935', '1.54828935'],
    ['123.123456789012', '1.23123456789012'],
    ['9.9512345678', '995.12345678'],
    ['99.9512345', undefined], // no country has 999
    ['999.5550100', undefined],
    ['0.4477009001', undefined],
    ['91.2345', '91.2345'],
    ['9.1234', undefined], // 91.234 is too short
    ['44.07700900123', '44.7700900123'],
    ['440.7700900123', '44.7700900123'],
    ['1.5550100', '1.5550100'], // not possible, and nothing better to be had
  ])('of %s is %s', (sid, canonical) => {
    expect(canonicalSid(sid, 'possible')).toBe(canonical);
  });

  test('keeps the national prefix where the country code alone counts', () => {
    expect(canonicalSid('440.7700900123', 'assigned')).toBe('44.07700900123');
  });
});

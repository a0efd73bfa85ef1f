import { describe, expect, test } from '@jest/globals';
import { getCountries, getCountryCallingCode } from 'libphonenumber-js/max';
import metadata from 'libphonenumber-js/max/metadata';
import { countryCodeOf, countryCodeSource, countryCodes, isCountryCode } from './country-codes.ts';

/** The codes of no country, which libphonenumber keeps apart. */
const { nonGeographic } = metadata as unknown as { nonGeographic: Record<string, unknown> };

describe('a country code', () => {
  test('is assigned when libphonenumber knows it, and not otherwise', () => {
    const ofCountries = getCountries().map((country) => String(getCountryCallingCode(country)));
    const known = [...new Set([...ofCountries, ...Object.keys(nonGeographic)])].sort();
    expect([...countryCodes].sort()).toEqual(known);
    expect(known.length).toBeGreaterThan(200);
  });

  test('is not the beginning of another one, so that digits have one code', () => {
    for (const code of countryCodes) {
      for (const other of countryCodes) {
        if (code !== other) expect([code, other, other.startsWith(code)]).toEqual([code, other, false]);
      }
      expect(countryCodeOf(`${code}5550100`)).toBe(code);
    }
    expect(['', '0', '999', '2105550100', 'x'].map(countryCodeOf)).toEqual(Array(5).fill(undefined));
  });

  test('is told the same by the table and by the pattern, for every text of up to three digits', () => {
    const pattern = new RegExp(`^(?:${countryCodeSource})$`);
    for (let number = 0; number < 1_110; number += 1) {
      // 0 to 9, 00 to 99, 000 to 999
      const text =
        number < 10
          ? `${number}`
          : number < 110
            ? `${number - 10}`.padStart(2, '0')
            : `${number - 110}`.padStart(3, '0');
      expect([text, pattern.test(text)]).toEqual([text, isCountryCode(text)]);
    }
  });
});

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
    const begun = countryCodes.filter((code) =>
      countryCodes.some((other) => other !== code && other.startsWith(code)),
    );
    expect(begun).toEqual([]);
    expect(countryCodes.map((code) => countryCodeOf(`${code}5550100`))).toEqual(countryCodes);
    expect(['', '0', '999', '2105550100', 'x'].map(countryCodeOf)).toEqual(Array(5).fill(undefined));
  });

  test('is judged the same by the table and by the pattern, for every text of up to three digits', () => {
    const pattern = new RegExp(`^(?:${countryCodeSource})$`);
    const texts = [1, 2, 3].flatMap((length) =>
      Array.from({ length: 10 ** length }, (_, number) => String(number).padStart(length, '0')),
    );
    expect(texts.filter((text) => pattern.test(text))).toEqual(texts.filter(isCountryCode));
  });
});

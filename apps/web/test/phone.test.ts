import { describe, expect, test } from '@jest/globals';
import { countryOfLanguages, countryOfSid, readPhone, showSid, sidOf } from '../src/phone.ts';

/** What is dialled, or why nothing is. */
function dialled(text: string, country: Parameters<typeof readPhone>[1] = 'GB'): string {
  const reading = readPhone(text, country);
  if (reading.kind === 'number') return sidOf(reading.number);
  return reading.kind === 'fault' ? reading.text : '';
}

/** As typed or pasted, where the user is, and what is dialled. */
const inputs: [typed: string, country: Parameters<typeof readPhone>[1], sid: string][] = [
  // international
  ['+44 7700 900123', 'US', '44.7700900123'],
  ['+44 (7700) 900-123', 'US', '44.7700900123'],
  ['+44 (0)7700 900123', 'US', '44.7700900123'],
  ['+44 07700 900123', 'US', '44.7700900123'],
  ['+4400 7700 900123', 'US', '44.7700900123'],
  ['(+44) 7700 900123', 'US', '44.7700900123'],
  ['+ 44 7700 900123', 'US', '44.7700900123'],
  ['+(44) 7700 900123', 'US', '44.7700900123'],
  ['+1 555 0100', 'GB', '1.5550100'],
  ['+1 (202) 555-0100', 'GB', '1.2025550100'],
  ['+1.202.555.0100', 'GB', '1.2025550100'],
  ['+1/202/555/0100', 'GB', '1.2025550100'],
  ['+353 1 555 0100', 'GB', '353.15550100'],
  ['+7.9161234567', 'GB', '7.9161234567'],
  ['+39 06 1234 5678', 'GB', '39.0612345678'],
  ['+39 (0)6 1234 5678', 'GB', '39.0612345678'],
  ['+54 9 11 2345-6789', 'GB', '54.91123456789'],
  ['+54 11 15-2345-6789', 'GB', '54.91123456789'],
  ['+52 1 55 1234 5678', 'GB', '52.5512345678'],
  ['+52 55 1234 5678', 'GB', '52.5512345678'],
  ['+870 773 111 632', 'GB', '870.773111632'],
  ['+888 1234 5678 901', 'GB', '888.12345678901'],
  // from another country, with its prefix or with 00
  ['0044 7700 900123', 'GB', '44.7700900123'],
  ['0044 (0)7700 900123', 'DE', '44.7700900123'],
  ['00 44 7700 900123', 'US', '44.7700900123'],
  ['(00)44 7700 900123', 'US', '44.7700900123'],
  ['011 44 7700 900123', 'US', '44.7700900123'],
  ['0011 44 7700 900123', 'AU', '44.7700900123'],
  ['0049 1555 0111222', 'GB', '49.15550111222'],
  // as it is dialled at home
  ['07700 900123', 'GB', '44.7700900123'],
  ['7700 900123', 'GB', '44.7700900123'],
  ['(202) 555-0100', 'US', '1.2025550100'],
  ['1 202 555 0100', 'US', '1.2025550100'],
  ['555.0100', 'US', '1.5550100'],
  ['8 (916) 123-45-67', 'RU', '7.9161234567'],
  ['06 1234 5678', 'IT', '39.0612345678'],
  ['06 30 123 4567', 'HU', '36.301234567'],
  ['03ー1234ー5678', 'JP', '81.312345678'],
  ['011 15-2345-6789', 'AR', '54.91123456789'],
  // pasted with marks that nobody sees
  ['\u202a+44 7700 900123\u202c', 'US', '44.7700900123'],
  ['\u2066+44\u2069 7700 900123', 'US', '44.7700900123'],
  ['\u200e+44\u200f 7700\u200b900123', 'US', '44.7700900123'],
  ['+44\u00a07700\u202f900123', 'US', '44.7700900123'],
  ['+44\u20607700\ufeff900\u00ad123', 'US', '44.7700900123'],
  [' \t+44 7700\n900123 ', 'US', '44.7700900123'],
  // dashes and signs of all kinds
  ['+44\u20107700\u2011900\u2012123', 'US', '44.7700900123'],
  ['+44 7700\u2013900\u2014123', 'US', '44.7700900123'],
  ['+44\u22127700\uff0d900123', 'US', '44.7700900123'],
  ['＋44（7700）900123', 'US', '44.7700900123'],
  ['+44·7700·900123', 'US', '44.7700900123'],
  // digits of other scripts
  ['+٤٤ ٧٧٠٠ ٩٠٠١٢٣', 'US', '44.7700900123'],
  ['+۴۴ ۷۷۰۰ ۹۰۰۱۲۳', 'US', '44.7700900123'],
  ['+४४ ७७०० ९००१२३', 'US', '44.7700900123'],
  ['＋４４　７７００　９００１２３', 'US', '44.7700900123'],
  ['+৪৪ ৭৭০০ ৯০০১২৩', 'US', '44.7700900123'],
  ['+4️⃣4️⃣ 7700 900123', 'US', '44.7700900123'],
  ['+𝟒𝟒 𝟩𝟩𝟢𝟢 𝟿𝟶𝟶𝟷𝟸𝟹', 'US', '44.7700900123'],
  // links and extensions
  ['tel:+44-7700-900123', 'US', '44.7700900123'],
  ['tel:+44%207700%20900123', 'US', '44.7700900123'],
  ['TEL:07700-900123;phone-context=+44', 'US', '44.7700900123'],
  ['tel:07700900123', 'GB', '44.7700900123'],
  ['sms:+447700900123?body=hi', 'US', '44.7700900123'],
  ['+1 202 555 0100 ext. 5', 'GB', '1.2025550100'],
  ['+1 202 555 0100 x5', 'GB', '1.2025550100'],
  ['tel:+1-202-555-0100;ext=12', 'GB', '1.2025550100'],
];

describe('a phone number', () => {
  test.each(inputs)('%j, typed in %s, dials %s', (typed, country, sid) => {
    expect(dialled(typed, country)).toBe(sid);
  });

  test.each([
    ['+0 123', 'No country has the code that this number begins with.'],
    ['+999 123 4567', 'No country has the code that this number begins with.'],
    ['+210 123 4567', 'No country has the code that this number begins with.'],
    ['+', 'That is no phone number.'],
    ['ada', 'That is no phone number.'],
    ['+1 555 O100', 'That is no phone number.'],
    ['++44 7700 900123', 'That is no phone number.'],
    ['+44 7700 900123 +44 7700 900124', 'That is no phone number.'],
    ['call +44 7700 900123', 'That is no phone number.'],
    ['1-800-FLOWERS', 'That is no phone number.'],
    ['+1 555', 'That is too short for a phone number.'],
    ['1', 'That is too short for a phone number.'],
    ['+44 7700 900123 4567 89', 'That is too long for a phone number.'],
    ['tel:', 'That is no phone number.'],
    ['', ''],
    ['\u200e \u00a0', ''],
  ])('is not what %j is: %s', (typed, text) => {
    expect(dialled(typed)).toBe(text);
  });

  test.each([
    ['+1 555 0100', ['That is shorter than numbers with the code 1 are. It may be refused.']],
    ['+44 7700 900123 1', ['That is longer than numbers with the code 44 are. It may be refused.']],
    ['+1 202 555 0100 ext 5', ['The extension 5 is left out.']],
    ['tel:+12025550100;ext=7', ['The extension 7 is left out.']],
    ['+44 7700 900123', []],
  ])('written as %j has the remarks %j', (typed, remarks) => {
    expect(readPhone(typed, 'GB')).toMatchObject({ remarks });
  });

  test.each([
    '1.5550100',
    '1.2025550100',
    '44.7700900123',
    '353.15550100',
    '888.12345678901',
    '39.0612345678',
    '49.1234',
  ])('that is shown for %s is read as the same one, in every country', (sid) => {
    for (const country of ['GB', 'US', 'AR', 'IT'] as const) expect(dialled(showSid(sid), country)).toBe(sid);
  });
});

describe('the country of numbers without a country code', () => {
  test.each([
    [['en-GB'], 'GB'],
    [['en', 'de-AT'], 'AT'],
    [['de'], 'DE'],
    [['es-419', 'es-MX'], 'MX'],
    [['zh-Hant-TW'], 'TW'],
    [['not a language', 'fr-CA'], 'CA'],
    [[], 'US'],
  ])('is, for a browser of %j, %s', (languages, country) => {
    expect(countryOfLanguages(languages)).toBe(country);
  });

  test.each([
    ['44.7400123456', ['de'], 'GB'],
    ['1.2025550100', ['en-CA'], 'CA'],
    ['1.5550100', ['de'], 'US'],
    ['888.12345678901', ['de'], 'DE'],
    ['49.15112345678', ['en-GB'], 'DE'],
  ])('is, for somebody whose own is %s, in a browser of %j, %s', (sid, languages, country) => {
    expect(countryOfSid(sid, languages)).toBe(country);
  });
});

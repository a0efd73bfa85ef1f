import type { PhoneNumber } from '@hooligram/client';

/**
 * Country codes of one and of two digits; all others have three (ITU-T E.164). None is the beginning of another
 * one, so a number that is written without gaps tells its country.
 */
const shortCodes = new Set(
  `1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58
  60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98`.split(/\s+/),
);
const digitsMin = 4;
const digitsMax = 14;
const allDigitsMax = 15;

/**
 * @param text a number as people write it, `+44 7700 900123` or `0044…`, or a sid, `44.7700900123`
 * @returns undefined when it is none that the server would take
 */
export function parsePhone(text: string): PhoneNumber | undefined {
  const sid = /^(\d{1,3})\.(\d+)$/.exec(text.trim());
  if (sid) return checked(sid[1] ?? '', sid[2] ?? '');
  const digits = /^(?:\+|00)(\d+)$/.exec(text.replace(/[\s().\-/]/g, ''))?.[1];
  if (digits === undefined) return undefined;
  const length = [1, 2].find((count) => shortCodes.has(digits.slice(0, count))) ?? 3;
  return checked(digits.slice(0, length), digits.slice(length));
}

function checked(country_code: string, phone_number: string): PhoneNumber | undefined {
  const { length } = phone_number;
  const fits = length >= digitsMin && length <= digitsMax && country_code.length + length <= allDigitsMax;
  return fits ? { country_code, phone_number } : undefined;
}

export function sidOf({ country_code, phone_number }: PhoneNumber): string {
  return `${country_code}.${phone_number}`;
}

/** `1.5550100` as `+1 555 0100`. */
export function showSid(sid: string): string {
  const [country, number = ''] = sid.split('.');
  const groups = number.replace(/\d{3}(?=\d{3})/g, '$& ');
  return `+${country} ${groups}`;
}

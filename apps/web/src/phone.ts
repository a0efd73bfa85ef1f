import type { PhoneNumber } from '@hooligram/client';
import {
  type CountryCode as Country,
  getCountries,
  getCountryCallingCode,
  isSupportedCountry,
  type PhoneNumber as LibraryNumber,
  Metadata,
  parsePhoneNumberFromString,
  parsePhoneNumberWithError,
  validatePhoneNumberLength,
} from 'libphonenumber-js/min';
import metadata from 'libphonenumber-js/min/metadata';
import { asDigits } from './typed.ts';

export type { Country };
export { getCountries, getCountryCallingCode };

/** What a text stands for. */
export type Reading =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'fault'; readonly text: string }
  | {
      readonly kind: 'number';
      readonly number: PhoneNumber;
      /** Undefined where several share the number's beginning, and for numbers of no country. */
      readonly country: Country | undefined;
      /** What the user should know before it is dialled: the server may refuse it, or a part is left out. */
      readonly remarks: readonly string[];
    };

const digitsMin = 4;
const digitsMax = 14;
const allDigitsMax = 15;

const faults: Readonly<Record<string, string>> = {
  NOT_A_NUMBER: 'That is no phone number.',
  INVALID_COUNTRY: 'No country has the code that this number begins with.',
  TOO_SHORT: 'That is too short for a phone number.',
  TOO_LONG: 'That is too long for a phone number.',
};

/**
 * Reads a number as people write it: international, `+44 (0)7700 900123` or `0044 …`, or as it is dialled in their
 * country; pasted with marks, in the digits of any script; a `tel:` link. The national prefix is left out, so that
 * a telephone is one user.
 * @param country of a number that does not begin with its country code
 */
export function readPhone(text: string, country: Country): Reading {
  const typed = asDigits(text);
  if (typed === '') return { kind: 'nothing' };
  const { written, extension: linked } = international(fromLink(typed), country);
  let number: LibraryNumber;
  try {
    number = parsePhoneNumberWithError(written, { defaultCountry: country, extract: false });
  } catch (error) {
    return { kind: 'fault', text: faults[(error as Error).message] ?? faults.NOT_A_NUMBER ?? '' };
  }
  const extension = number.ext ?? linked;
  number = dialled(number);
  const { countryCallingCode: country_code, nationalNumber: phone_number } = number;
  if (phone_number.length < digitsMin) return { kind: 'fault', text: faults.TOO_SHORT ?? '' };
  if (phone_number.length > digitsMax || country_code.length + phone_number.length > allDigitsMax) {
    return { kind: 'fault', text: faults.TOO_LONG ?? '' };
  }
  const remarks = [
    ...(number.isPossible() ? [] : [`${misfit(number)} It may be refused.`]),
    ...(extension === undefined ? [] : [`The extension ${extension} is left out.`]),
  ];
  return { kind: 'number', number: { country_code, phone_number }, country: countryOf(number), remarks };
}

/** `tel:07700-900123;ext=5;phone-context=+44` as `+4407700-900123 ext. 5`. */
function fromLink(typed: string): { written: string; extension?: string } {
  const link = /^(?:tel|sms|callto):(.*)$/i.exec(typed)?.[1];
  if (link === undefined) return { written: typed };
  const [number = '', ...parameters] = link.replace(/%20/g, ' ').replace(/%2b/gi, '+').split(/[;?]/);
  const parameter = (name: string) =>
    parameters.find((one) => one.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
  const context = /^\+\d+$/.exec(parameter('phone-context') ?? '')?.[0] ?? '';
  const extension = parameter('ext');
  return { written: number.startsWith('+') ? number : context + number, ...(extension ? { extension } : {}) };
}

/** `(+44) …`, `+ 44 …` and `0044 …`, in which 00 is understood everywhere, as `+44 …`. */
function international(
  { written, extension }: { written: string; extension?: string },
  country: Country,
): { written: string; extension: string | undefined } {
  const plus = /^[([]?\s*\+\s*(.*)$/.exec(written)?.[1];
  if (plus !== undefined) return { written: `+${plus}`, extension };
  const numbering = new Metadata();
  numbering.selectNumberingPlan(country);
  const prefix = new RegExp(`^(?:${numbering.numberingPlan?.IDDPrefix() ?? '00'})`);
  const digits = written.replace(/\D/g, '');
  const isAbroad = !prefix.test(digits) && /^\(?00/.test(written);
  return { written: isAbroad ? `+${written.replace(/^\(?0[\s-]*0[\s)-]*/, '')}` : written, extension };
}

/**
 * The telephone that is dialled, whatever country it was read in: national prefixes are taken away until none is left,
 * and Mexico's old one.
 */
function dialled(read: LibraryNumber): LibraryNumber {
  const number = parsePhoneNumberFromString(read.number, { extract: false }) ?? read;
  const { countryCallingCode, nationalNumber } = number;
  if (nationalNumber !== read.nationalNumber) return dialled(number);
  if (countryCallingCode !== '52' || number.isPossible() || !nationalNumber.startsWith('1')) return number;
  const without = parsePhoneNumberFromString(`+52${nationalNumber.slice(1)}`, { extract: false });
  return without?.isPossible() ? without : number;
}

function misfit({ number, countryCallingCode }: LibraryNumber): string {
  const how = { TOO_SHORT: 'shorter', TOO_LONG: 'longer' } as Readonly<Record<string, string>>;
  const found = how[validatePhoneNumberLength(number) ?? ''];
  return found
    ? `That is ${found} than numbers with the code ${countryCallingCode} are.`
    : `Numbers with the code ${countryCallingCode} have another length.`;
}

function countryOf(number: LibraryNumber): Country | undefined {
  return number.country ?? (number.isPossible() ? number.getPossibleCountries()[0] : undefined);
}

/** `United Kingdom`. */
const names = new Intl.DisplayNames(['en'], { type: 'region' });

export function nameOfCountry(country: Country): string {
  return names.of(country) ?? country;
}

/** Where the languages of a browser are spoken: of the first one that names a country, else where the first is at home. */
export function countryOfLanguages(languages: readonly string[]): Country {
  const locales = languages.flatMap((language) => {
    try {
      return [new Intl.Locale(language)];
    } catch {
      return [];
    }
  });
  const regions = [
    ...locales.map(({ region }) => region),
    ...locales.map((locale) => locale.maximize().region),
  ];
  return (
    regions.find((region): region is Country => region !== undefined && isSupportedCountry(region)) ?? 'US'
  );
}

/**
 * The country that somebody's numbers are of when they do not say it: their own number's; of those that share its
 * code the browser's.
 */
export function countryOfSid(sid: string, languages: readonly string[]): Country {
  const own = countryOfLanguages(languages);
  const number = parsePhoneNumberFromString(`+${sid.replace('.', '')}`, { extract: false });
  if (!number || number.countryCallingCode === getCountryCallingCode(own)) return own;
  // The first of those that share a code is the one that gave it.
  return countryOf(number) ?? metadata.country_calling_codes[number.countryCallingCode]?.[0] ?? own;
}

export function sidOf({ country_code, phone_number }: PhoneNumber): string {
  return `${country_code}.${phone_number}`;
}

const shown = new Map<string, string>();

/**
 * `44.7700900123` as `+44 7700 900123`; in groups of three where no country's custom is known. The sid of an account that
 * was deleted has the country code 0, and is no number.
 */
export function showSid(sid: string): string {
  const known = shown.get(sid) ?? format(sid);
  shown.set(sid, known);
  return known;
}

function format(sid: string): string {
  const [code = '', digits = ''] = sid.split('.');
  if (code === '0') return `Deleted account ${digits.replace(/^0+/, '')}`;
  const number = parsePhoneNumberFromString(`+${code}${digits}`, { extract: false });
  if (number?.isPossible() && number.nationalNumber === digits) return number.formatInternational();
  return `+${code} ${digits.replace(/\d{3}(?=\d{3})/g, '$& ')}`;
}
